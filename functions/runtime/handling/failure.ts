/** A message whose handling failed → tried again soon, parked for later, answered, or kept as a dead letter. */

import { type AppError, CODES, type Fate, toAppError } from '../errors.ts';
import type { Shell } from '../function.ts';
import type { Bus } from '../jetstream/connection.ts';
import type { DeliveredMessage } from '../jetstream/delivered-message.ts';
import { type Incoming, outcomeOf, typeOfSubject } from '../messages/message.ts';
import { inSpan } from '../trace.ts';
import { comesAgain } from './attempt.ts';
import type { CountMessage } from './message-metrics.ts';
import { carried, park } from './retries.ts';

/** An `internal` error at this attempt or later is given up as a dead letter; `unavailable` never is. */
const LAST_ATTEMPT = 6;

const BACKOFF_BASE_MS = 200;
const BACKOFF_CAP_MS = 300_000;

/** Longer waits, and all after so many deliveries, are parked: a message that waits in its consumer is lag, and keeps a pod awake. */
const LONGEST_NAK_MS = 3_000;
const MOST_NAKS = 5;

/** Full jitter: anything from 0 to an exponentially growing cap (Brooker, "Exponential Backoff And Jitter"). */
export const backoffMs = (attempt: number, random = Math.random()): number =>
  random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(attempt, 20));

/** Backoff, but not before the time that the error names, nor everybody at that very time. */
export function waitMs(
  { retryAfterMs }: Pick<AppError, 'retryAfterMs'>,
  attempt: number,
  random = Math.random(),
): number {
  const backoff = backoffMs(attempt, random);
  return retryAfterMs === undefined
    ? backoff
    : Math.max(backoff, retryAfterMs + random * Math.min(retryAfterMs / 5, 1_000));
}

/** What becomes of a message whose handling failed. */
export const fateOf = (error: AppError, attempt: number): Fate =>
  error.code === 'internal' && attempt >= LAST_ATTEMPT ? 'dead-letter' : CODES[error.code].fate;

/** Headers of a dead letter, besides those of its message. */
export const DEAD = {
  function: 'millrace-function',
  consumer: 'millrace-consumer',
  error: 'millrace-error',
  message: 'millrace-error-message',
} as const;

/** Ends a failed message; whatever happens here, it is not lost: it comes again. */
export function endFailed(shell: Shell, bus: Bus, consumer: string, counted: CountMessage) {
  const typeOf = (message: DeliveredMessage, incoming: Incoming | undefined): string =>
    incoming?.type ?? typeOfSubject(message.subject);

  const nak = (message: DeliveredMessage, type: string, delayMs: number): void => {
    counted('retried', type, { how: 'nak' });
    comesAgain(message, delayMs);
    message.nak(delayMs);
  };

  const keepDead = async (message: DeliveredMessage, error: AppError): Promise<void> => {
    const headers = {
      ...carried(message),
      [DEAD.function]: shell.name,
      [DEAD.consumer]: consumer,
      [DEAD.error]: error.slug,
      [DEAD.message]: error.message.replace(/\s+/g, ' ').slice(0, 1_000),
    };
    await bus.publish(`dead.${shell.name}`, message.data, headers, `${shell.name} ${message.streamSequence}`);
  };

  const tryAgain = async (message: DeliveredMessage, type: string, error: AppError, about: object): Promise<void> => {
    const delayMs = waitMs(error, message.attempts);
    const parked = delayMs > LONGEST_NAK_MS || message.deliveries >= MOST_NAKS;
    const stack = error.code === 'internal' ? error.stack : undefined;
    shell.log.warn({ ...about, delayMs, parked, detail: error.message, stack }, 'will try again');
    const attributes = {
      'millrace.retry.how': parked ? 'parked' : 'nak',
      'millrace.retry.at': new Date(Date.now() + delayMs).toISOString(),
      'millrace.retry.delay_ms': Math.round(delayMs),
      'error.type': error.slug,
    };
    await inSpan('park', { attributes }, async () => {
      if (!parked) return nak(message, type, delayMs);
      await park(bus, consumer, message, delayMs);
      counted('retried', type, { how: 'parked' });
      message.ack();
    });
  };

  const settle = async (message: DeliveredMessage, incoming: Incoming | undefined, error: AppError): Promise<void> => {
    const { subject, sequence, attempts: attempt } = message;
    const type = typeOf(message, incoming);
    const about = { natsSubject: subject, sequence, attempt, code: error.code, error: error.slug };
    const fate = fateOf(error, attempt);
    counted('failed', type, { code: error.code });
    if (fate === 'retry') return tryAgain(message, type, error, about);
    if (fate === 'dead-letter') {
      await inSpan('dead letter', { attributes: { 'error.type': error.slug } }, () => keepDead(message, error));
      shell.log.error({ ...about, detail: error.message }, 'dead letter');
    }
    counted(fate === 'dead-letter' ? 'dead_lettered' : 'handled', type);
    incoming?.answer(outcomeOf(error));
    if (fate === 'dead-letter') message.term(error.slug);
    else message.ack();
  };

  return async (message: DeliveredMessage, incoming: Incoming | undefined, thrown: unknown): Promise<void> => {
    try {
      await settle(message, incoming, toAppError(thrown));
    } catch (problem) {
      const about = { natsSubject: message.subject, sequence: message.sequence, problem: toAppError(problem).message };
      shell.log.error(about, 'could neither park the message nor keep it as a dead letter; will try again');
      nak(message, typeOf(message, incoming), backoffMs(message.deliveries, 0.5));
    }
  };
}
