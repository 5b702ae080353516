/** Timers as messages: JetStream keeps a schedule and publishes its message when it is due; nothing runs meanwhile. */
import type { Bus, Payload } from './bus.ts';

const STREAM = 'COMMANDS';

/** One subject a timer, below a prefix that no consumer's filter covers: an acknowledgement would cancel it. */
const subjectOfTimer = (timer: string): string => `parked.${timer}`;

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

/** Sets a timer, named by subject tokens such as `expire.<orderId>`; the same name again replaces it. */
export async function setTimer(bus: Bus, timer: string, timed: Schedule): Promise<void> {
  const subject = subjectOfTimer(timer);
  await schedule(bus, subject, timed, `${subject} ${timed.at} ${timed.headers['ce-id'] ?? ''}`);
}

/** Cancels a timer, if it is still set. */
export async function cancelTimer(bus: Bus, timer: string): Promise<void> {
  await bus.api(`STREAM.PURGE.${STREAM}`, { filter: subjectOfTimer(timer) });
}
