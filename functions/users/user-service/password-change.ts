/** A password replaced, inside a transaction: sessions and reset links that the old one gave end with it. */
import type { OutboxMessage } from '../../runtime/outbox.ts';
import type { Queries } from '../../runtime/postgres.ts';
import type { Trace } from '../../runtime/trace.ts';
import { REVOKE_ALL } from './session-statements.ts';
import { query } from './stored.ts';
import { storeEvents, userEvent } from './user-event.ts';
import type { Row } from './user-row.ts';

const REPLACE = {
  name: 'password-replace',
  text: `update users set password_hash = $3 where user_id = $1 and password_hash = $2 and suspended_at is null
    returning user_id`,
};
const END_RESETS = {
  name: 'password-end-resets',
  text: `delete from link_tokens where user_id = $1 and purpose = 'reset-password'`,
};

type Replacement = {
  /** As it was when the password, or the link, was checked. */
  readonly row: Row;
  readonly hashed: string;
  /** Goes on; all others end. */
  readonly keepSession?: string;
};

/** The stored user.password_changed; undefined, and nothing stored, when the user was suspended or the password changed meanwhile. */
export async function replacePassword(
  client: Queries,
  { row, hashed, keepSession }: Replacement,
  trace: Trace,
): Promise<OutboxMessage | undefined> {
  const userId = row.user_id;
  const replaced = await query(client, REPLACE, [userId, row.password_hash, hashed]);
  if (replaced.length === 0) return undefined;
  await query(client, REVOKE_ALL, [userId, keepSession ?? null]);
  await query(client, END_RESETS, [userId]);
  const changedAt = new Date().toISOString();
  const message = userEvent('user.password_changed', { userId, changedAt }, changedAt, trace);
  await storeEvents(client, [message]);
  return message;
}
