/** Messages that wait for their next attempt: each parked as a JetStream schedule, and back to its function alone. */

import { invalid } from '../errors.ts';
import type { Bus } from '../jetstream/connection.ts';
import type { DeliveredMessage } from '../jetstream/delivered-message.ts';
import { schedule } from '../jetstream/schedules.ts';
import { REPLY_HEADER } from '../messages/message.ts';

/** Stream of what is due, on `retry.<function>`, and of what waits, on `waiting.<function>.<origin>`. */
export const RETRIES = 'RETRIES';
export const retriesOf = (consumer: string): string => `${consumer}-retries`;
export const retrySubject = (consumer: string): string => `retry.${consumer}`;

/** Where a message was first: stream, sequence, ns since 1970 when it was stored, subject. */
export const ORIGIN_HEADER = 'millrace-origin';
/** How often it was tried before. */
export const ATTEMPTS_HEADER = 'millrace-attempts';

/** Headers that go with a message wherever it goes; one that could not be sent again would hold it for ever. */
export const CARRIED = /^(ce-[a-z0-9]{1,20}|content-type|traceparent|millrace-replay)$/;
const ORIGIN = /^(?<stream>[^\s.*>]+) (?<sequence>\d{1,19}) ((?<storedAtNanos>\d{1,20}) )?(?<subject>\S{1,1000})$/;

const originOf = ({ stream, sequence, storedAtNanos, subject }: DeliveredMessage): string =>
  [stream, sequence, storedAtNanos, subject].join(' ');

/** Where a message of this origin waits: one subject each, so that parking it again replaces it. */
export const waitingSubject = (consumer: string, origin: string): string =>
  `waiting.${consumer}.${origin.split(' ').slice(0, 3).join('-')}`;

export const carried = (message: DeliveredMessage): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(message.headers ?? {}).filter(([name]) => CARRIED.test(name))),
  [ORIGIN_HEADER]: originOf(message),
  [ATTEMPTS_HEADER]: String(message.attempts),
});

/** Parks a message; the caller then acknowledges it. After a crash in between it is there twice, and parked once. */
export async function park(bus: Bus, consumer: string, message: DeliveredMessage, delayMs: number): Promise<void> {
  const { streamSequence, deliveries, data: payload } = message;
  const reply = message.headers?.[REPLY_HEADER];
  const headers = { ...carried(message), ...(reply ? { [REPLY_HEADER]: reply } : {}) };
  const at = new Date(Date.now() + delayMs).toISOString();
  const subject = waitingSubject(consumer, originOf(message));
  const parked = { at, target: retrySubject(consumer), payload, headers };
  // Deliveries begin anew with a consumer that is made anew; the time tells its parking from the one before.
  await schedule(bus, subject, parked, `${consumer} ${streamSequence} ${deliveries} ${at}`);
}

type Origin = Pick<DeliveredMessage, 'stream' | 'sequence' | 'storedAtNanos' | 'subject'>;

/** Undefined when it does not say where the message was. The first dead letters do not say when it was stored. */
export function readOrigin(header: string): Origin | undefined {
  const { stream, sequence, storedAtNanos = '0', subject } = ORIGIN.exec(header)?.groups ?? {};
  return stream && subject ? { stream, sequence: Number(sequence), storedAtNanos, subject } : undefined;
}

/**
 * A task was in no other stream: its sequence is the one it has here, its subject its type. Only a type that the function
 * takes as a task is one: whoever sends a task cannot make it an event or a command by its type alone.
 */
function taskOf({ headers }: DeliveredMessage, tasks: readonly string[]): string | undefined {
  const type = headers?.['ce-type'] ?? '';
  return headers?.[ORIGIN_HEADER] === undefined && tasks.includes(type) ? type : undefined;
}

/** A message of RETRIES as it was in the stream that it came from; throws `invalid` when it does not say where that is. */
export function restored(message: DeliveredMessage, tasks: readonly string[]): DeliveredMessage {
  const task = taskOf(message, tasks);
  if (task) return { ...message, subject: task };
  const origin = readOrigin(message.headers?.[ORIGIN_HEADER] ?? '');
  const before = Number(message.headers?.[ATTEMPTS_HEADER]);
  if (!origin || !Number.isSafeInteger(before) || before < 0)
    throw invalid(
      'invalid-retry',
      `A message to ${message.subject} needs headers ${ORIGIN_HEADER}, ${ATTEMPTS_HEADER}, or the ce-type of a task that its function takes`,
    );
  return { ...message, ...origin, attempts: before + message.deliveries };
}
