/** What other contexts may know and ask of notifications: preferences, the delivery log, and sending one again. */
import type { Bus } from '../runtime/bus.ts';
import { sendAgain } from '../runtime/notification-tasks.ts';
import type { Database } from '../runtime/postgres.ts';
import type { Trace } from '../runtime/trace.ts';
import { enterResend, type LoggedNotification, type Resend } from './log.ts';

export { LOCALES } from './locale.ts';
export { listNotifications } from './log.ts';
export { OPTIONAL } from './optional.ts';
export { muteByToken, putPreferences, readPreferences, refuseAddress, takeAddress } from './preferences.ts';

/**
 * Has a notification sent again, as a new one that names the first; the same request again is the same one. Throws
 * `notification-not-found`, `not-resendable`, `resent-too-often`.
 */
export async function resend(
  { bus, database }: { readonly bus: Bus; readonly database: Database },
  request: Resend,
  trace: Trace,
): Promise<LoggedNotification> {
  const { notification, sender } = await enterResend(database, request);
  // Again with each try: the one before may have come no further than the entry.
  await sendAgain(bus, sender, request.newId, trace);
  return notification;
}
