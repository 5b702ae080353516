/** Rows of the table `users`, and users made of them. */
import { notFound } from '../../runtime/errors.ts';
import type { Queries } from '../../runtime/postgres.ts';
import type { Role, User } from '../user.ts';
import { query } from './stored.ts';

export type Row = {
  readonly user_id: string;
  readonly email: string;
  readonly password_hash: string;
  readonly role: Role;
  readonly created_at: Date;
  readonly name: string;
  readonly email_verified_at: Date | null;
  readonly suspended_at: Date | null;
};

export const COLUMNS =
  'users.user_id, email, password_hash, role, users.created_at, name, email_verified_at, suspended_at';

export const toUser = (row: Row): User => ({
  userId: row.user_id,
  email: row.email,
  role: row.role,
  createdAt: row.created_at.toISOString(),
  name: row.name,
  emailVerifiedAt: row.email_verified_at?.toISOString() ?? null,
  suspendedAt: row.suspended_at?.toISOString() ?? null,
});

export const userNotFound = (userId: string) => notFound('user-not-found', `There is no user ${userId}`);

const BY_ID = { name: 'user-by-id', text: `select ${COLUMNS} from users where user_id = $1` };

/** Throws `user-not-found`. */
export async function userById(queries: Queries, userId: string): Promise<Row> {
  const [row] = await query<Row>(queries, BY_ID, [userId]);
  if (!row) throw userNotFound(userId);
  return row;
}
