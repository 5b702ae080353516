/** NATS behind a small port: publish to JetStream, pull from a consumer, ask and answer. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, unavailable } from '../errors.ts';
import type { Shell } from '../function.ts';
import { answersTo, inboxOf } from '../messages/message.ts';
import { optionalSetting, seedFile, setting, url } from '../settings.ts';
import { jetstreamApi } from './api.ts';
import { openBatches } from './batches.ts';
import {
  connect,
  headers as createHeaders,
  createInbox,
  type Msg,
  NatsError,
  nkeyAuthenticator,
  type Payload,
  type Send,
} from './client.ts';
import { openConfirmed } from './confirmations.ts';
import { type DeliveredMessage, toDeliveredMessage } from './delivered-message.ts';
import { openSeed } from './nkey.ts';
import { openOutgoing } from './outgoing.ts';
import { type Pull, type PullOptions, startPull } from './pull.ts';

export const natsSettings = {
  NATS_URL: setting('NATS servers, comma-separated', url('nats:', 'tls:')),
  NATS_SEED_FILE: optionalSetting('File with the seed of the nkey by which it is known to NATS', seedFile),
};
export type NatsSettings = { readonly NATS_URL: string; readonly NATS_SEED_FILE: string | undefined };

export type Bus = {
  /** Stores a message; resolves to its sequence when JetStream holds it. Throws `unavailable`: it may be stored all the same. */
  publish(
    subject: string,
    payload: Payload,
    headers: Readonly<Record<string, string>>,
    messageId: string,
  ): Promise<number>;
  readonly send: Send;
  /** Calls `receive` with each plain message below a private inbox; gives the subject prefix to ask answers to. */
  inbox(receive: (token: string, payload: string) => void): string;
  pull(options: PullOptions, receive: (message: DeliveredMessage) => void): Pull;
  /** A request to the JetStream API, such as `STREAM.INFO.PARCELS`; throws `unavailable` or what the server answers. */
  api<T>(path: string, body?: object): Promise<T>;
  connected(): boolean;
  /** Resolves when all that was sent has reached the server, or after 2 s when it can't be reached. */
  flush(): Promise<void>;
};

const FLUSH_TIMEOUT_MS = 2_000;
const SLOW_CONNECT_MS = 5_000;

const toHeaders = (fields: Readonly<Record<string, string>>, messageId: string) => {
  const result = createHeaders();
  for (const [name, value] of Object.entries(fields)) result.set(name, value);
  result.set('Nats-Msg-Id', messageId);
  return result;
};

/** Larger than the server or the stream takes: trying again would not help. */
const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'MAX_PAYLOAD_EXCEEDED';

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
export async function openBus(shell: Shell<NatsSettings>, withinMs?: number): Promise<Bus> {
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
  const confirmed = openConfirmed(connection, newInbox());
  const publish = openBatches(confirmed);
  const outgoing = openOutgoing(connection, shell.log);
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
      if (refused?.operation !== 'publish') continue;
      confirmed.refused(refused.subject);
      for (const pull of pulls) pull.refused(refused.subject);
    }
  };
  void watch();
  shell.onClose(() => connection.close());

  return {
    async publish(subject, payload, fields, messageId) {
      try {
        return await publish(subject, payload, toHeaders(fields, messageId));
      } catch (error) {
        if (isTooLarge(error))
          throw new AppError('internal', 'message-too-large', `The message for ${subject} is too large`, {
            cause: error,
          });
        throw unavailable('nats-unavailable', `JetStream did not confirm ${subject}`, error);
      }
    },
    send: outgoing.send,
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
      const deliver = (message: Msg, ackSubject: string) =>
        receive(toDeliveredMessage(outgoing.send, message, ackSubject));
      const pull = startPull(connection, newInbox, options, shell.log, deliver);
      pulls.add(pull);
      return pull;
    },
    api: (path, body) => jetstreamApi(connection, path, body),
    connected: () => connected && !connection.isClosed(),
    flush() {
      outgoing.sendAll();
      return Promise.race([connection.flush(), delay(FLUSH_TIMEOUT_MS)]);
    },
  };
}
