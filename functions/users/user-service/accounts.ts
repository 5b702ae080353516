/** Accounts in Postgres: a user and the event that tells of it are stored together, or neither is. */
import { invalid, refused } from '../../runtime/errors.ts';
import { newId } from '../../runtime/ids.ts';
import { insertOutbox } from '../../runtime/outbox.ts';
import type { Database } from '../../runtime/postgres.ts';
import type { Trace } from '../../runtime/trace.ts';
import type { User } from '../user.ts';
import type { Client } from './client-network.ts';
import { readName, readNewUser, readReason, readUserId, readUserIds } from './fields.ts';
import type { Passwords } from './passwords.ts';
import { REVOKE_ALL } from './session-statements.ts';
import { query, together } from './stored.ts';
import type { Throttle } from './throttle.ts';
import type { Identity } from './tokens.ts';
import { type Announce, storeEvents, userEvent } from './user-event.ts';
import { COLUMNS, type Row, toUser, userById, userNotFound } from './user-row.ts';

// A duplicate key must not become an error of Postgres, whose log would then hold the e-mail.
const CREATE = {
  name: 'user-create',
  text: `with created as (
      insert into users (user_id, email, password_hash, name, created_at) values ($1, $2, $3, $4, $5)
      on conflict do nothing
      returning ${COLUMNS}
    ), announced as (
      ${insertOutbox('$6')} where exists (select from created)
    ) select * from created`,
};
const THE_SAME = {
  name: 'user-the-same',
  text: `select ${COLUMNS}, lower(email) = lower($2) as "sameEmail" from users where user_id = $1`,
};
const BATCH = { name: 'user-batch', text: `select ${COLUMNS} from users where user_id = any($1::uuid[])` };
const RENAME = {
  name: 'user-rename',
  text: `update users set name = $2 where user_id = $1 returning ${COLUMNS}`,
};
const SUSPEND = {
  name: 'user-suspend',
  text: `update users set suspended_at = $2, suspension_reason = $3 where user_id = $1 and suspended_at is null
    returning user_id`,
};

type NewUser = { readonly email: string; readonly password: string; readonly name: string; readonly userId: string };
type Parts = { readonly passwords: Passwords; readonly throttle: Throttle; readonly announce: Announce };

export type Accounts = {
  create(request: NewUser, client: Client, trace: Trace): Promise<User>;
  /** As `caller` may see it: customers see themselves; staff, and functions (undefined), everybody. */
  get(userId: string, caller: Identity | undefined): Promise<User>;
  getMany(userIds: readonly string[]): Promise<User[]>;
  rename(userId: string, name: string): Promise<User>;
  suspend(request: { readonly userId: string; readonly reason: string }, by: Identity, trace: Trace): Promise<User>;
};

export function openAccounts(database: Database, { passwords, throttle, announce }: Parts): Accounts {
  /**
   * The user of this id, when the same request has made it before. Whoever knows an id and an e-mail could guess passwords
   * by it: so it is counted as a sign-in, and what it says is always the same.
   */
  const repeated = async ({ userId, email, password }: NewUser, client: Client): Promise<User> => {
    const taken = 'belongs to a user already; sign in, or use another one';
    const emailTaken = refused('email-taken', `The e-mail ${taken}`, [{ field: 'email', message: taken }]);
    const [row] = userId ? await query<Row & { sameEmail: boolean }>(database, THE_SAME, [userId, email]) : [];
    if (!row) throw emailTaken;
    const message = 'belongs to another user; take a new one';
    if (!row.sameEmail) throw invalid('invalid-user', `The user_id ${message}`, [{ field: 'user_id', message }]);
    const same = await throttle.signIn(
      { email: row.email, network: client.network },
      async () => ({ ...row, known: false }),
      () => passwords.matches(row.password_hash, password, client),
    );
    if (!same) throw emailTaken;
    return toUser(same);
  };

  return {
    async create(request, client, trace) {
      const user = readNewUser(request);
      const takeBack = await throttle.signUp(client.network);
      const hashed = await passwords.hash(user.password, client);
      const userId = user.userId || newId();
      const createdAt = new Date().toISOString();
      const message = userEvent('user.created', { userId, createdAt }, createdAt, trace);
      const values = [userId, user.email, hashed, user.name, createdAt, JSON.stringify([message])];
      const [row] = await query<Row>(database, CREATE, values);
      if (!row) {
        const same = await repeated(user, client);
        await takeBack();
        return same;
      }
      announce(message);
      return toUser(row);
    },

    async get(value, caller) {
      const userId = readUserId(value);
      const visible = !caller || caller.role === 'staff' || caller.userId === userId;
      if (!visible) throw userNotFound(userId);
      return toUser(await userById(database, userId));
    },

    async getMany(values) {
      const userIds = readUserIds(values);
      const rows = await query<Row>(database, BATCH, [userIds]);
      const users = new Map(rows.map((row) => [row.user_id, toUser(row)]));
      return userIds.flatMap((userId) => users.get(userId) ?? []);
    },

    async rename(userId, name) {
      const [row] = await query<Row>(database, RENAME, [userId, readName(name)]);
      if (!row) throw userNotFound(userId);
      return toUser(row);
    },

    async suspend(request, by, trace) {
      const userId = readUserId(request.userId);
      const reason = readReason(request.reason);
      if (userId === by.userId) throw refused('own-account', 'Nobody can suspend the account they use');
      const suspendedAt = new Date().toISOString();
      const message = userEvent('user.suspended', { userId, suspendedAt }, suspendedAt, trace);
      const suspended = await together(database, async (client) => {
        // First the user, then the sessions: one that is opened meanwhile is either seen here, or sees the suspension.
        const rows = await query(client, SUSPEND, [userId, suspendedAt, reason]);
        if (rows.length === 0) return false;
        await query(client, REVOKE_ALL, [userId, null]);
        await storeEvents(client, [message]);
        return true;
      });
      if (suspended) announce(message);
      return toUser(await userById(database, userId));
    },
  };
}
