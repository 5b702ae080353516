/** Published events of users: ids and times, never an e-mail or a name. Fields may be added, never changed or removed. */
import * as z from 'zod/mini';

/** Stream that carries the events, on subjects `user.<userId>.<what happened>`. */
export const USERS = 'USERS';

/** Type of an event → schema of its data. `createdAt` is RFC 3339 in UTC. */
export const userEvents = {
  'user.created': z.object({ userId: z.uuid(), createdAt: z.iso.datetime() }),
} as const;
