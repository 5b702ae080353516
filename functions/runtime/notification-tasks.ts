/**
 * The two tasks of a notifier, which reach it through its retries as they are due. One for later was set by the notifier
 * itself when an event came. A wish to have a notification again comes from whoever has made its claim.
 */
import * as z from 'zod/mini';
import { nameId } from './ids.ts';
import type { Bus } from './jetstream/connection.ts';
import { scheduleTask, sendTask } from './task.ts';
import type { Trace } from './trace.ts';

const LATER = 'notification.later';
const AGAIN = 'notification.again';
/** Types of a version before are still on their way. */
export const laterTypes: readonly string[] = [LATER, 'notice.later'];
export const againTypes: readonly string[] = [AGAIN, 'notice.again'];

/** The event, and which of its notifications; the first version named no recipient: there was one an event. */
export const laterTask = z.object({
  eventId: z.string(),
  type: z.string(),
  template: z.string(),
  recipient: z.optional(z.string()),
  data: z.unknown(),
});
export const againTask = z.object({ notificationId: z.uuid() });

/** Sets a notifier's own notification for `at`, RFC 3339; the same again replaces it. */
export async function notifyLater(
  bus: Bus,
  notifier: string,
  later: z.infer<typeof laterTask>,
  trace: Trace,
  at: string,
): Promise<void> {
  const id = nameId(later.eventId, later.template, later.recipient ?? '');
  await scheduleTask(bus, notifier, id, { id, type: LATER, data: later, trace }, at);
}

/** Has a notifier deliver a notification whose claim is in its table. */
export async function sendAgain(bus: Bus, notifier: string, notificationId: string, trace: Trace): Promise<void> {
  const data: z.infer<typeof againTask> = { notificationId };
  await sendTask(bus, notifier, { id: notificationId, type: AGAIN, data, trace });
}
