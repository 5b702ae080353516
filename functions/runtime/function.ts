/** What a function is to the shell: its kind, the settings it needs, and how it starts. Builders return this. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from './log.ts';
import type { Setting, Settings } from './process/settings.ts';

export type Kind = 'command' | 'projector' | 'policy' | 'notifier' | 'relay' | 'http' | 'service';

/** What a starting function gets. `onClose` callbacks run after the drain, last one first. */
export type Shell<Need extends Setting = never> = {
  readonly name: string;
  readonly settings: Settings<Need>;
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

export type Definition<Need extends Setting = Setting> = {
  readonly kind: Kind;
  readonly needs: readonly Need[];
  /** Its role in Postgres is its own, named after it, and not that of all of its kind. */
  readonly ownRole?: boolean;
  /** Types of the messages that it handles, such as `order.created`; its consumer's filters must match. */
  readonly consumes: readonly string[];
  /** Types of the messages that it sends: its key at NATS lets it send no others. */
  readonly publishes: readonly string[];
  /** Types of the commands that it sets timers for. */
  readonly schedules: readonly string[];
  /** Functions that it sends tasks to; it may always schedule some for itself. */
  readonly tasksTo?: readonly string[];
  /** Messages in work at the same time in one process; the consumer's maxAckPending must allow max replicas × this. */
  readonly inFlight: number;
  /** The same of its retries and tasks; 8 unless told. */
  readonly retriesInFlight?: number;
  start(shell: Shell<Need>): Promise<Running>;
};
