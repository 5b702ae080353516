/** What a function is to the shell: its kind, all that it declares of itself, and how it starts. Builders return this. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from './log.ts';
import { integer, oneOf, optionalSetting, type Setting, setting, text, url } from './settings.ts';

export type Kind = 'command' | 'projector' | 'policy' | 'notifier' | 'relay' | 'http' | 'service';

/** Settings that every function has. */
export const commonSettings = {
  HOST: setting('The address that the HTTP and gRPC servers listen on', text, '0.0.0.0'),
  PORT: setting('The port of probes, HTTP requests and pushed events', integer(0, 65_535), '8080'),
  LOG_LEVEL: setting('What is logged', oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'), 'info'),
  DRAIN_SECONDS: setting('How long a function that is told to end may finish what it began', integer(1, 600), '25'),
  DELIVERY: setting('`pull` from the consumer, or `push` by a Knative Trigger', oneOf('pull', 'push'), 'pull'),
  SECRETS_FOLDER: setting('Where a mounted Secret lies, a file a setting', text, '/var/run/secrets/millrace'),
  OTEL_EXPORTER_OTLP_ENDPOINT: optionalSetting('Where traces and metrics go, by OTLP/HTTP', url('http:', 'https:')),
};

/** Their values. */
export type CommonSettings = {
  readonly [Name in keyof typeof commonSettings]: (typeof commonSettings)[Name] extends Setting<infer Value>
    ? Value
    : never;
};

/** What a starting function gets; `Own` are the values of its own settings. `onClose` callbacks run after the drain, last one first. */
export type Shell<Own extends object = object> = {
  readonly name: string;
  readonly settings: CommonSettings & Own;
  readonly log: Log;
  onClose(close: () => Promise<void> | void): void;
};

/** A request as the functions framework hands it over: `body` is parsed JSON, or text, or a Buffer, by content type. */
export type HttpRequest = IncomingMessage & { readonly body?: unknown };
export type HttpHandler = (request: HttpRequest, response: ServerResponse) => Promise<void>;

/** A started function. `drain` stops taking work and resolves when all that was taken is done or handed back. */
export type Running = {
  /** undefined when it can serve, else why not, in a few words. */
  notReady(): string | undefined;
  readonly http?: HttpHandler;
  drain(): Promise<void>;
};

/** Service → names of its methods in proto/. */
export type Calls = Readonly<Record<string, readonly string[]>>;

/**
 * A host that a function calls beyond the shop's own servers, on the public internet: `*` for those that its users name. The
 * name of a setting is for one that operators name, which may also be in a private network.
 */
export type Outbound = { readonly host: string; readonly ports: readonly number[] };

export type Definition<Own extends object = never> = {
  readonly kind: Kind;
  /** What it reads from the environment or a mounted Secret, besides `commonSettings`. */
  readonly settings: Readonly<Record<string, Setting>>;
  /** The stream that its consumer reads; undefined for one without a consumer. */
  readonly stream?: string;
  /** Its role in Postgres is its own, named after it, and not that of all of its kind. */
  readonly ownRole?: boolean;
  /** Types of the messages that it handles, such as `parcel.sent`; its consumer's filters must match. */
  readonly consumes: readonly string[];
  /** Types of the messages that it sends: its key at NATS lets it send no others. */
  readonly publishes: readonly string[];
  /** Types of the commands that it sets timers for. */
  readonly schedules: readonly string[];
  /** Functions that it sends tasks to, or a kind, for all of that kind; it may always schedule some for itself. */
  readonly tasksTo?: readonly string[];
  /** What it calls in its own name, without a signed-in user: the service lets it call nothing else so. */
  readonly calls?: Calls;
  readonly outbound?: readonly Outbound[];
  /** Messages in work at the same time in one process; the consumer's maxAckPending must allow max replicas × this. */
  readonly inFlight: number;
  /** The same of its retries and tasks; 8 unless told. */
  readonly retriesInFlight?: number;
  start(shell: Shell<Own>): Promise<Running>;
};
