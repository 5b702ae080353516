/** Requests for an HTTP function → its ready replicas, the least loaded first; while there is none they wait, and are not lost. */
import { unavailable } from '../../../functions/runtime/errors.ts';
import { problem, sendJson } from '../../../functions/runtime/http/problem.ts';
import type { HttpRule } from '../../manifests/rules.ts';
import { type Exchange, forward, openConnections } from './proxy.ts';
import type { Replica } from './replica.ts';
import type { Replicas } from './replicas.ts';

export type Activator = {
  handle(exchange: Exchange): Promise<void>;
  /** Requests that wait for a replica. */
  waiting(): number;
  /** Ends the connections to replicas. */
  close(): void;
};

/** Calls of these methods may be repeated when nobody knows whether they were done (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const MOST_WAITING = 1_000;
const LONGEST_WAIT_MS = 30_000;
const MOST_ATTEMPTS = 3;

type Waiter = { readonly exchange: Exchange; give(replica: Replica | undefined): void };

/** `changed` gets the number of requests here, waiting or in work, whenever it changes. */
export function openActivator(rule: HttpRule, replicas: Replicas, changed: (requests: number) => void): Activator {
  const { name, containerConcurrency } = rule;
  const room = containerConcurrency || Number.POSITIVE_INFINITY;
  const limits = { responseStartMs: rule.responseStartTimeoutSeconds * 1_000, totalMs: rule.timeoutSeconds * 1_000 };
  const waiters: Waiter[] = [];
  const connections = openConnections();
  let requests = 0;

  const leastLoaded = (): Replica | undefined => {
    let best: Replica | undefined;
    for (const replica of replicas.ready())
      if (replica.inFlight < room && replica.inFlight < (best?.inFlight ?? room)) best = replica;
    return best;
  };

  const serveWaiting = (): void => {
    while (waiters.length > 0) {
      const replica = leastLoaded();
      if (!replica) return;
      replica.inFlight += 1;
      waiters.shift()?.give(replica);
    }
  };
  replicas.onChange(serveWaiting);

  /** A replica with room, taken; undefined when none has come in time, or the client has gone. */
  const take = (exchange: Exchange): Promise<Replica | undefined> =>
    new Promise((resolve) => {
      const leave = (): void => {
        const index = waiters.indexOf(waiter);
        if (index >= 0) waiters.splice(index, 1);
        waiter.give(undefined);
      };
      const timer = setTimeout(leave, Math.min(LONGEST_WAIT_MS, limits.totalMs));
      exchange.response.once('close', leave);
      const waiter: Waiter = {
        exchange,
        give(replica) {
          clearTimeout(timer);
          exchange.response.off('close', leave);
          resolve(replica);
        },
      };
      waiters.push(waiter);
      serveWaiting();
    });

  const giveBack = (replica: Replica | undefined): void => {
    if (replica) replica.inFlight -= 1;
    serveWaiting();
  };

  const attempt = async (exchange: Exchange, replica: Replica) => {
    try {
      return await forward(connections, replica.port() ?? 0, exchange, limits);
    } finally {
      giveBack(replica);
    }
  };

  const refuse = (exchange: Exchange, status: number, slug: string, detail: string): void => {
    const error = unavailable(slug, detail);
    const { headers, body } = problem(error, exchange.traceId);
    sendJson(exchange.response, status, { ...body, status }, headers);
  };

  const serve = async (exchange: Exchange): Promise<void> => {
    const { request, response } = exchange;
    for (let attempts = 1; ; attempts += 1) {
      const replica = await take(exchange);
      if (response.destroyed) return giveBack(replica);
      if (!replica) return refuse(exchange, 503, 'not-started', notStarted(name, replicas.problem()));
      const outcome = await attempt(exchange, replica);
      if (outcome === 'answered' || response.destroyed) return;
      if (outcome === 'late')
        return refuse(exchange, 504, 'no-answer', `${name} began no answer in ${rule.responseStartTimeoutSeconds} s`);
      replica.distrust();
      const repeatable = outcome === 'unsent' || IDEMPOTENT.has(request.method ?? '');
      if (!repeatable || attempts >= MOST_ATTEMPTS)
        return refuse(exchange, 502, 'replica-died', `${name} ended before it answered; it may have done its work`);
    }
  };

  return {
    waiting: () => waiters.length,
    close: () => connections.destroy(),
    async handle(exchange) {
      if (waiters.length >= MOST_WAITING)
        return refuse(exchange, 503, 'too-many-waiting', `${name} has ${MOST_WAITING} requests waiting; try again`);
      changed(++requests);
      try {
        await serve(exchange);
      } finally {
        changed(--requests);
      }
    },
  };
}

const notStarted = (name: string, problem: string | undefined): string =>
  problem ? `${name} could not be started: ${problem}` : `${name} had no room for the request in time; try again`;
