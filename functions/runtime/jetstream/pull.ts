/** Pulls from a JetStream consumer never more than there is room for, so that no message waits in a client's buffer. */

import { toAppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Msg, NatsConnection, Subscription } from './client.ts';

export type PullOptions = {
  readonly stream: string;
  readonly consumer: string;
  /** Messages delivered but not yet given back by `done`, at most. */
  readonly inFlight: number;
};

export type Pull = {
  /** Says that one delivered message is finished: there is room for another. */
  done(): void;
  /** undefined while the consumer answers, else what is wrong. */
  problem(): string | undefined;
  /** What was asked for is lost, with a connection or a server: asks anew. */
  askAgain(): void;
  /** The server does not let this key publish to a subject. */
  refused(subject: string): void;
  /** Asks for nothing more; resolves when all that had left the server before is delivered. */
  stop(): Promise<void>;
};

export const EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 5_000;
const RETRY_MS = 1_000;
const NANOS = 1e6;

/** Ends of a request after which the same request is right: it has expired, or the server that had it goes. */
const ASK_AT_ONCE = /timeout|expired|leadership change|server shutdown|batch completed/i;

export function startPull(
  connection: NatsConnection,
  newInbox: () => string,
  { stream, consumer, inFlight }: PullOptions,
  log: Log,
  receive: (message: Msg, ackSubject: string) => void,
): Pull {
  const next = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
  /** Messages still to come, by the number of the request that asked for them. */
  const open = new Map<number, number>();
  let inbox = newInbox();
  let subscription: Subscription;
  let busy = 0;
  let requests = 0;
  let heard = Date.now();
  let problem: string | undefined;
  let retry: NodeJS.Timeout | undefined;
  let stopped = false;

  const asked = (): number => [...open.values()].reduce((sum, count) => sum + count, 0);

  const ask = (): void => {
    const room = inFlight - busy - asked();
    if (stopped || retry || room <= 0 || (open.size > 0 && room < inFlight / 2)) return;
    requests += 1;
    open.set(requests, room);
    const body = { batch: room, expires: EXPIRES_MS * NANOS, idle_heartbeat: HEARTBEAT_MS * NANOS };
    const reply = `${inbox}.${requests}`;
    connection.publish(next, JSON.stringify(body), { reply });
  };

  const askLater = (why: string): void => {
    if (problem !== why) log.error({ stream, consumer, problem: why }, 'cannot pull from the consumer');
    problem = why;
    open.clear();
    retry ??= setTimeout(() => {
      retry = undefined;
      ask();
    }, RETRY_MS);
  };

  /** What the server says of a request, instead of a message. */
  const control = (message: Msg): void => {
    const code = message.headers?.code ?? 0;
    if (code === 100) {
      problem = undefined;
      return;
    }
    const description = message.headers?.description || `status ${code}`;
    if (code === 503) return askLater(`no stream ${stream} with a consumer ${consumer}`);
    if (code !== 408 && !ASK_AT_ONCE.test(description)) return askLater(`${code} ${description}`.toLowerCase());
    open.delete(Number(message.subject.slice(inbox.length + 1)));
    ask();
  };

  const take = (message: Msg, ackSubject: string, request: number): void => {
    problem = undefined;
    const left = (open.get(request) ?? 1) - 1;
    if (left > 0) open.set(request, left);
    else open.delete(request);
    busy += 1;
    receive(message, ackSubject);
  };

  /** Nothing may leave the callback: the client would close the subscription, and the function would be deaf. */
  const subscribe = (): Subscription => {
    const own = inbox;
    const onMessage = (error: Error | null, message: Msg): void => {
      if (error) return askLater(error.message);
      heard = Date.now();
      try {
        const isMessage = message.reply?.startsWith('$JS.ACK.');
        // A message is delivered on its own subject; the subscription's last token is in no field of it.
        if (isMessage && message.reply) take(message, message.reply, oldest());
        else if (own === inbox) control(message);
      } catch (problem) {
        log.error({ stream, consumer, error: toAppError(problem).stack }, 'a delivery could not be taken');
      }
    };
    return connection.subscribe(`${own}.*`, { callback: onMessage });
  };

  /** Requests are filled in their order. */
  const oldest = (): number => open.keys().next().value ?? 0;

  const askAgain = (): void => {
    open.clear();
    heard = Date.now();
    const old = subscription;
    inbox = newInbox();
    subscription = subscribe();
    void old.drain().catch(() => undefined);
    ask();
  };

  // A request can be lost with a server that does not close its connections; its heartbeats then stop.
  const watch = setInterval(() => {
    if (open.size > 0 && Date.now() - heard > 2.5 * HEARTBEAT_MS) askAgain();
  }, HEARTBEAT_MS);
  subscription = subscribe();
  ask();

  return {
    done() {
      busy -= 1;
      ask();
    },
    problem: () => problem,
    askAgain,
    refused(subject) {
      if (subject === next) askLater('the key of this function may not pull from it');
    },
    async stop() {
      stopped = true;
      clearInterval(watch);
      clearTimeout(retry);
      await subscription.drain().catch(() => undefined);
    },
  };
}
