/** NATS behind a small port: publish to JetStream, pull from a consumer, ask and answer. The only user of `nats`. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  connect,
  headers as createHeaders,
  createInbox,
  Match,
  type Msg,
  type NatsConnection,
  NatsError,
  nkeyAuthenticator,
} from 'nats';
import { AppError, unavailable } from './errors.ts';
import type { Shell } from './function.ts';
import { answersTo, inboxOf } from './message.ts';
import { openSeed } from './nkey.ts';
import { type Pull, type PullOptions, startPull } from './pull.ts';

export type { Msg, NatsConnection, Subscription } from 'nats';

/** A message of a JetStream consumer. Exactly one of ack, nak, term ends it. */
export type BusMessage = {
  readonly subject: string;
  /** By lower case name; undefined when what was sent as headers cannot be read. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly data: Uint8Array;
  /** Where the schedule was kept that the server made it of; undefined when somebody has sent it. */
  readonly scheduledOn: string | undefined;
  readonly stream: string;
  readonly sequence: number;
  /** When the stream stored it, ns since 1970, as text. Stable over redeliveries. */
  readonly storedAtNanos: string;
  /** Its stream, sequence and time there: no other message ever has the same. */
  readonly place: string;
  /** Of this message: 1 at the first one. */
  readonly deliveries: number;
  /** Deliveries, and those before it was parked or redriven. */
  readonly attempts: number;
  ack(): void;
  nak(delayMs: number): void;
  /** It takes longer: nobody else is to get it for another `ackWait`. */
  working(): void;
  term(reason: string): void;
};

export type Payload = string | Uint8Array;

export type Bus = {
  /** Stores a message; resolves to its sequence when JetStream holds it. Throws `unavailable`: it may be stored all the same. */
  publish(
    subject: string,
    payload: Payload,
    headers: Readonly<Record<string, string>>,
    messageId: string,
  ): Promise<number>;
  /** Sends a plain message that nobody may be waiting for. */
  send(subject: string, payload: Payload): void;
  /** Calls `receive` with each plain message below a private inbox; gives the subject prefix to ask answers to. */
  inbox(receive: (token: string, payload: string) => void): string;
  pull(options: PullOptions, receive: (message: BusMessage) => void): Pull;
  /** A request to the JetStream API, such as `STREAM.INFO.ORDERS`; throws `unavailable` or what the server answers. */
  api<T>(path: string, body?: object): Promise<T>;
  connected(): boolean;
  /** Resolves when all that was sent has reached the server, or after 2 s when it can't be reached. */
  flush(): Promise<void>;
};

/** Written by the server alone, and last: it takes out others, but not those in another case. */
const SCHEDULED_ON = 'Nats-Scheduler';

const PUBLISH_TIMEOUT_MS = 5_000;
const FLUSH_TIMEOUT_MS = 2_000;
const SLOW_CONNECT_MS = 5_000;

const toHeaders = (fields: Readonly<Record<string, string>>) => {
  const result = createHeaders();
  for (const [name, value] of Object.entries(fields)) result.set(name, value);
  return result;
};

/** Larger than the server or the stream takes: trying again would not help. */
const isTooLarge = (error: unknown): boolean =>
  error instanceof NatsError && (error.code === 'MAX_PAYLOAD_EXCEEDED' || error.api_error?.err_code === 10054);

/** Parses `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<...>.<stored ns>.<pending>`, or its longer v2 form. */
export function parseAckSubject(subject: string) {
  const parts = subject.split('.');
  const [stream = '', , deliveries, sequence, , storedAtNanos = '0'] =
    parts.length > 9 ? parts.slice(4) : parts.slice(2);
  return { stream, deliveries: Number(deliveries), sequence: Number(sequence), storedAtNanos };
}

function readHeaders(message: Msg): Record<string, string> | undefined {
  try {
    return Object.fromEntries([...(message.headers ?? [])].map(([name, [value = '']]) => [name.toLowerCase(), value]));
  } catch {
    return undefined;
  }
}

function readScheduledOn(message: Msg): string | undefined {
  try {
    return message.headers?.last(SCHEDULED_ON, Match.Exact) || undefined;
  } catch {
    return undefined;
  }
}

function toBusMessage(connection: NatsConnection, message: Msg, ackSubject: string): BusMessage {
  const answer = (verb: string): void => connection.publish(ackSubject, verb);
  const { stream, sequence, storedAtNanos, deliveries } = parseAckSubject(ackSubject);
  return {
    stream,
    sequence,
    storedAtNanos,
    place: `${stream} ${sequence} ${storedAtNanos}`,
    deliveries,
    attempts: deliveries,
    subject: message.subject,
    headers: readHeaders(message),
    scheduledOn: readScheduledOn(message),
    data: message.data,
    ack: () => answer('+ACK'),
    nak: (delayMs) => answer(`-NAK ${JSON.stringify({ delay: Math.round(delayMs * 1e6) })}`),
    working: () => answer('+WPI'),
    term: (reason) => answer(`+TERM ${reason}`),
  };
}

type ApiAnswer = { readonly code: number; readonly err_code: number; readonly description: string };

/** From 500 on the server cannot do it now: its disk is full, say. */
export const apiError = (path: string, { code, err_code, description }: ApiAnswer): AppError =>
  code >= 500
    ? unavailable('nats-unavailable', `JetStream cannot do ${path}: ${description}`)
    : new AppError('internal', `jetstream-${err_code}`, `JetStream refused ${path}: ${description}`);

async function jetstreamApi<T>(connection: NatsConnection, path: string, body?: object): Promise<T> {
  let answer: T & { error?: ApiAnswer };
  try {
    const reply = await connection.request(`$JS.API.${path}`, body ? JSON.stringify(body) : '', {
      timeout: PUBLISH_TIMEOUT_MS,
    });
    answer = reply.json();
  } catch (error) {
    throw unavailable('nats-unavailable', `JetStream did not answer ${path}`, error);
  }
  if (answer.error) throw apiError(path, answer.error);
  return answer;
}

type Refusal = { readonly operation: string; readonly subject: string };

/** Why there is no connection. */
const notConnected = (error: unknown): AppError =>
  error instanceof NatsError && error.isAuthError()
    ? new AppError('unauthenticated', 'nats-key-refused', 'NATS does not take the key', { cause: error })
    : unavailable('nats-unavailable', 'NATS does not answer', error);

/**
 * Connects, for ever again after a loss; half-open in 9 s at most. Waits for the server as long as it takes, or `withinMs`
 * for each address of it: then it throws `unavailable`, or `unauthenticated`.
 */
export async function openBus(shell: Shell<'NATS_URL'>, withinMs?: number): Promise<Bus> {
  const seed = openSeed(shell);
  const newInbox = () => createInbox(inboxOf(shell.name));
  const slow = setTimeout(() => {
    shell.log.warn({ withKey: seed !== undefined }, 'still not connected: NATS is away, or does not take the key');
  }, SLOW_CONNECT_MS);
  const connection = await connect({
    servers: shell.settings.NATS_URL.split(','),
    name: shell.name,
    inboxPrefix: inboxOf(shell.name),
    ...(seed ? { authenticator: nkeyAuthenticator(seed) } : {}),
    waitOnFirstConnect: withinMs === undefined,
    ...(withinMs === undefined ? {} : { timeout: withinMs }),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    pingInterval: 3_000,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
  })
    .catch((error: unknown) => {
      throw notConnected(error);
    })
    .finally(() => clearTimeout(slow));
  const pulls = new Set<Pull>();
  let connected = true;
  const watch = async (): Promise<void> => {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') connected = false;
      if (status.type === 'reconnect') {
        connected = true;
        for (const pull of pulls) pull.askAgain();
      }
      if (status.type !== 'error') continue;
      const refused: Refusal | undefined = status.permissionContext;
      shell.log.error({ error: String(status.data), ...refused }, 'NATS refused something');
      for (const pull of pulls) if (refused?.operation === 'publish') pull.refused(refused.subject);
    }
  };
  void watch();
  shell.onClose(() => connection.close());
  const jetstream = connection.jetstream({ timeout: PUBLISH_TIMEOUT_MS });

  return {
    async publish(subject, payload, fields, messageId) {
      try {
        const { seq } = await jetstream.publish(subject, payload, { msgID: messageId, headers: toHeaders(fields) });
        return seq;
      } catch (error) {
        if (isTooLarge(error))
          throw new AppError('internal', 'message-too-large', `The message for ${subject} is too large`, {
            cause: error,
          });
        throw unavailable('nats-unavailable', `JetStream did not confirm ${subject}`, error);
      }
    },
    send: (subject, payload) => connection.publish(subject, payload),
    inbox(receive) {
      const prefix = createInbox(answersTo(shell.name));
      connection.subscribe(`${prefix}.*`, {
        callback: (error, message) => {
          if (!error) receive(message.subject.slice(prefix.length + 1), message.string());
        },
      });
      return prefix;
    },
    pull(options, receive) {
      const deliver = (message: Msg, ackSubject: string) => receive(toBusMessage(connection, message, ackSubject));
      const pull = startPull(connection, newInbox, options, shell.log, deliver);
      pulls.add(pull);
      return pull;
    },
    api: (path, body) => jetstreamApi(connection, path, body),
    connected: () => connected && !connection.isClosed(),
    flush: () => Promise.race([connection.flush(), delay(FLUSH_TIMEOUT_MS)]),
  };
}
