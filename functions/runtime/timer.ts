/** Timers as messages: JetStream keeps a schedule and publishes its message when it is due; nothing runs meanwhile. */
import type { Bus } from './bus.ts';

const STREAM = 'COMMANDS';

/** One subject a timer, below a prefix that no consumer's filter covers: an acknowledgement would cancel it. */
const subjectOfTimer = (timer: string): string => `parked.${timer}`;

type Timer = {
  /** Subject tokens, such as `expire.<orderId>`. */
  readonly timer: string;
  /** RFC 3339. */
  readonly at: string;
  /** The subject that the message goes to when it is due. */
  readonly target: string;
  readonly payload: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** Sets a timer; the same name again replaces it. The message keeps its headers, but not its message id. */
export async function setTimer(bus: Bus, { timer, at, target, payload, headers }: Timer): Promise<void> {
  const schedule = { 'Nats-Schedule': `@at ${new Date(at).toISOString()}`, 'Nats-Schedule-Target': target };
  const subject = subjectOfTimer(timer);
  await bus.publish(subject, payload, { ...headers, ...schedule }, `${subject} ${at} ${headers['ce-id'] ?? ''}`);
}

/** Cancels a timer, if it is still set. */
export async function cancelTimer(bus: Bus, timer: string): Promise<void> {
  await bus.api(`STREAM.PURGE.${STREAM}`, { filter: subjectOfTimer(timer) });
}
