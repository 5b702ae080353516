/** From a consumer to a handler: batches, bounded concurrency, and each message ended as its outcome demands. */
import type { Bus, BusMessage } from './bus.ts';
import { type AppError, CODES, toAppError } from './errors.ts';
import type { Running, Shell } from './function.ts';
import { fromBus, type Incoming, type Outcome, outcomeOf } from './message.ts';
import type { PullOptions } from './pull.ts';

export type ConsumeOptions = PullOptions & {
  /** Messages handed to the handler together, at most. */
  readonly batch: number;
  /** Calls of the handler at the same time. */
  readonly concurrency: number;
};

/** An `internal` error at this delivery or later is given up as a dead letter; `unavailable` never is. */
const LAST_ATTEMPT = 6;
const BACKOFF_BASE_MS = 200;
const BACKOFF_CAP_MS = 30_000;

/** Full jitter: anything from 0 to an exponentially growing cap (Brooker, "Exponential Backoff And Jitter"). */
export const backoffMs = (attempt: number, random = Math.random()): number =>
  random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(attempt, 20));

/** Headers of the message that its dead letter keeps: what could not be sent again would hold the message for ever. */
const COPIED = /^(ce-[a-z0-9]{1,20}|content-type|traceparent)$/;

type Taken = { readonly message: BusMessage; readonly incoming: Incoming };

/** What becomes of a message whose handling failed. */
export const fateOf = (error: AppError, attempt: number): 'dead-letter' | 'answer' | 'retry' =>
  error.code === 'internal' && attempt >= LAST_ATTEMPT ? 'dead-letter' : CODES[error.code].fate;

export function consume(
  shell: Shell,
  bus: Bus,
  options: ConsumeOptions,
  handle: (batch: readonly Incoming[]) => Promise<void>,
): Running {
  const waiting: Taken[] = [];
  const active = new Set<Promise<void>>();
  let stopped = false;

  const answer = (to: string, outcome: Outcome): void => bus.send(to, JSON.stringify(outcome));

  const deadLetter = async (message: BusMessage, error: AppError): Promise<void> => {
    const headers = {
      ...Object.fromEntries(Object.entries(message.headers ?? {}).filter(([name]) => COPIED.test(name))),
      'millrace-function': shell.name,
      'millrace-error': error.slug,
      'millrace-error-message': error.message.replace(/\s+/g, ' ').slice(0, 1_000),
      'millrace-attempts': String(message.deliveries),
      'millrace-origin': `${message.stream} ${message.sequence} ${message.subject}`,
    };
    const messageId = `${shell.name} ${message.stream} ${message.sequence} ${message.storedAtNanos}`;
    await bus.publish(`dead.${shell.name}`, message.data, headers, messageId);
  };

  const settle = async (message: BusMessage, incoming: Incoming | undefined, thrown: unknown): Promise<void> => {
    const error = toAppError(thrown);
    const fate = fateOf(error, message.deliveries);
    const fields = {
      subject: message.subject,
      sequence: message.sequence,
      attempt: message.deliveries,
      code: error.code,
      error: error.slug,
    };
    if (fate === 'retry') {
      const delayMs = error.retryAfterMs ?? backoffMs(message.deliveries);
      shell.log.warn(
        { ...fields, delayMs, detail: error.message, stack: error.code === 'internal' ? error.stack : undefined },
        'will try again',
      );
      return message.nak(delayMs);
    }
    if (fate === 'dead-letter') {
      try {
        await deadLetter(message, error);
      } catch (problem) {
        shell.log.error(
          { ...fields, detail: toAppError(problem).message },
          'could not store the dead letter; will try again',
        );
        return message.nak(backoffMs(message.deliveries));
      }
      shell.log.error({ ...fields, detail: error.message }, 'dead letter');
      incoming?.answer(outcomeOf(error));
      return message.term(error.slug);
    }
    incoming?.answer(outcomeOf(error));
    message.ack();
  };

  /** Ends a message whose handling failed; whatever happens here, it is not lost: it comes again. */
  const fail = async (message: BusMessage, incoming: Incoming | undefined, thrown: unknown): Promise<void> => {
    try {
      await settle(message, incoming, thrown);
    } catch (problem) {
      shell.log.error(
        { sequence: message.sequence, error: toAppError(problem).stack },
        'could not end a failed message',
      );
    }
  };

  const handleTogether = async (taken: readonly Taken[]): Promise<void> => {
    try {
      await handle(taken.map(({ incoming }) => incoming));
      for (const { message } of taken) message.ack();
    } catch (thrown) {
      if (taken.length === 1 || toAppError(thrown).code === 'unavailable') {
        await Promise.all(taken.map(({ message, incoming }) => fail(message, incoming, thrown)));
        return;
      }
      // One bad message must not hold up its neighbours: each goes again by itself.
      for (const one of taken) await handleTogether([one]);
    }
  };

  const startWork = (): void => {
    while (!stopped && waiting.length > 0 && active.size < options.concurrency) {
      const taken = waiting.splice(0, options.batch);
      const work = handleTogether(taken).finally(() => {
        active.delete(work);
        for (const _ of taken) pull.done();
        startWork();
      });
      active.add(work);
    }
  };

  const receive = (message: BusMessage): void => {
    if (stopped) return message.nak(0);
    try {
      waiting.push({ message, incoming: fromBus(message, answer) });
      startWork();
    } catch (thrown) {
      const work = fail(message, undefined, thrown).finally(() => {
        active.delete(work);
        pull.done();
      });
      active.add(work);
    }
  };

  const pull = bus.pull(options, receive);

  return {
    notReady: () => (bus.connected() ? pull.problem() : 'not connected to NATS'),
    async drain() {
      stopped = true;
      await pull.stop();
      for (const { message } of waiting.splice(0)) message.nak(0);
      await Promise.all(active);
      await bus.flush();
    },
  };
}
