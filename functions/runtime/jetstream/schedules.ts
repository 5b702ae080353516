/** Timers as messages: JetStream keeps a schedule and publishes its message when it is due; nothing runs meanwhile. */

import { invalid } from '../errors.ts';
import type { Payload } from './client.ts';
import type { Bus } from './connection.ts';
import type { DeliveredMessage } from './delivered-message.ts';
import { sending } from './publishing.ts';

/** What cancels a timer, of the JetStream API. */
export const CANCEL_TIMER = 'STREAM.PURGE.COMMANDS';

/** The prefix of the timers that send a command of a type; no consumer's filter covers it: an acknowledgement would cancel them. */
export const timersOf = (type: string): string => `parked.${type}`;

type Schedule = {
  /** RFC 3339. */
  readonly at: string;
  /** The subject that the message goes to when it is due, in the same stream. */
  readonly target: string;
  readonly payload: Payload;
  readonly headers: Readonly<Record<string, string>>;
};

/** Keeps a message until it is due; on the same subject again it replaces the one before. It loses its message id. */
export async function schedule(
  bus: Bus,
  subject: string,
  { at, target, payload, headers }: Schedule,
  messageId: string,
): Promise<void> {
  const timing = { 'Nats-Schedule': `@at ${new Date(at).toISOString()}`, 'Nats-Schedule-Target': target };
  await bus.publish(subject, payload, { ...headers, ...timing }, messageId);
}

/** Sets a timer of its target's type, named by a subject token such as an aggregate's id; the same name again replaces it. */
export async function setTimer(bus: Bus, timer: string, timed: Schedule): Promise<void> {
  const subject = `${timersOf(timed.target)}.${timer}`;
  const messageId = `${subject} ${timed.at} ${timed.headers['ce-id'] ?? ''}`;
  const publish = (headers: Schedule['headers']) => schedule(bus, subject, { ...timed, headers }, messageId);
  await sending(timed.target, timed.headers, publish, timed.at);
}

/** Cancels a timer, if it is still set. */
export async function cancelTimer(bus: Bus, type: string, timer: string): Promise<void> {
  await bus.api(CANCEL_TIMER, { filter: `${timersOf(type)}.${timer}` });
}

/** Of a version whose timers did not say what they send; nobody sets such any more. */
const OLD_TIMER = /^parked\.expire\.[^.]+$/;

/**
 * Whoever may set a schedule can aim it at any subject of its stream, and the server does not ask whether he may send there.
 * So where a schedule is kept says what it may send; throws `invalid` when it has sent something else.
 */
export function checkSchedule({ subject, scheduledOn }: Pick<DeliveredMessage, 'subject' | 'scheduledOn'>): void {
  if (scheduledOn === undefined || OLD_TIMER.test(scheduledOn)) return;
  const home = subject.startsWith('retry.') ? subject.replace('retry.', 'waiting.') : timersOf(subject);
  if (!scheduledOn.startsWith(`${home}.`))
    throw invalid('wrong-schedule', `A schedule on ${scheduledOn} may not send to ${subject}`);
}
