/** Published events of users: ids and times, never an e-mail or a name. Fields may be added, never changed or removed. */
import * as z from 'zod/mini';

/** Stream that carries the events, on subjects `user.<userId>.<what happened>`. */
export const USERS = 'USERS';

const at = z.iso.datetime();

/** Type of an event → schema of its data. Times are RFC 3339 in UTC. */
export const userEvents = {
  'user.created': z.object({ userId: z.uuid(), createdAt: at }),
  'user.email_verified': z.object({ userId: z.uuid(), verifiedAt: at }),
  'user.password_reset_requested': z.object({ userId: z.uuid(), requestedAt: at }),
  'user.password_changed': z.object({ userId: z.uuid(), changedAt: at }),
  'user.suspended': z.object({ userId: z.uuid(), suspendedAt: at }),
} as const;
