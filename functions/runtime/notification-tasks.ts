/**
 * The two tasks of a notifier, which reach it through its retries as they are due. A reminder was set by the notifier itself
 * when an event came, for a time after it. A wish to have a notification again comes from commands-api, which has made its entry.
 */
import * as z from 'zod/mini';
import type { Bus } from '../runtime/bus.ts';
import { nameId } from '../runtime/ids.ts';
import { scheduleTask, sendTask } from '../runtime/task.ts';
import type { Trace } from '../runtime/trace.ts';

export const REMINDER = 'notice.later';
export const AGAIN = 'notice.again';

/** The event, and the template that it is told of with. */
export const reminderTask = z.object({
  eventId: z.string(),
  type: z.string(),
  template: z.string(),
  data: z.unknown(),
});
export const againTask = z.object({ notificationId: z.uuid() });

/** Sets a notifier's own reminder for `at`, RFC 3339; the same event's again replaces it. */
export async function remind(
  bus: Bus,
  notifier: string,
  reminder: z.infer<typeof reminderTask>,
  trace: Trace,
  at: string,
): Promise<void> {
  const id = nameId(reminder.eventId, reminder.template);
  await scheduleTask(bus, notifier, id, { id, type: REMINDER, data: reminder, trace }, at);
}

/** Has a notifier send the notification whose entry was made. */
export async function sendAgain(bus: Bus, notifier: string, notificationId: string, trace: Trace): Promise<void> {
  const data: z.infer<typeof againTask> = { notificationId };
  await sendTask(bus, notifier, { id: notificationId, type: AGAIN, data, trace });
}
