/** Users of a running user-service: signed up, signed in, made staff. */
import { randomBytes } from 'node:crypto';
import {
  type AuthenticateResponse,
  UserServiceService as methods,
  type User,
} from '../../functions/gen/millrace/users/v1/users.ts';
import type { Backends } from './backends.ts';
import { until } from './until.ts';
import type { From, UserServiceFixture } from './user-service-fixture.ts';

export const password = 'correct horse battery';
export const newEmail = (): string => `Ada.${randomBytes(6).toString('hex')}@Example.com`;

/** What a call failed with; fails itself when the call did not. */
export const failure = (call: Promise<unknown>) =>
  call.then(
    (answer) => {
      throw new Error(`it did not fail, but answered ${JSON.stringify(answer)}`);
    },
    (error) => error,
  );

/**
 * Does `work` while another transaction holds what `statement` locks, and lets go when `waiting` statements wait for it:
 * so they meet, however quick they are.
 */
export async function whileLocked<Result>(
  { database }: Backends,
  { statement, values = [], waiting = 1 }: { statement: string; values?: unknown[]; waiting?: number },
  work: () => Promise<Result>,
): Promise<Result> {
  const client = await database.connect();
  try {
    await client.query('begin');
    await client.query(statement, values);
    const done = work();
    const waits = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    await until('statements to wait', async () => (await database.query(waits)).rows.length >= waiting);
    await client.query('commit');
    return await done;
  } finally {
    client.release();
  }
}

export function usersOf(service: UserServiceFixture, { database, messages }: Backends) {
  const signUp = (email = newEmail()): Promise<User> => service.call(methods.createUser, { email, password });
  const signIn = (email: string, from: From = {}, word = password): Promise<AuthenticateResponse> =>
    service.call(methods.authenticate, { email, password: word }, from);

  return {
    signUp,
    signIn,
    /** A new user who has signed in. */
    async signedIn(role: 'customer' | 'staff' = 'customer') {
      const user = await signUp();
      await database.query('update users set role = $2 where user_id = $1', [user.userId, role]);
      return { ...(await signIn(user.email)), user };
    },
    /** Types of the events of a user, when as many as `count` are published and none is left in the outbox. */
    async eventsOf(userId: string, count: number): Promise<{ type: string; data: unknown }[]> {
      const mine = `user.${userId}.`;
      const read = async () => (await messages('USERS')).filter(({ subject }) => subject.startsWith(mine));
      await until(`${count} events`, async () => (await read()).length >= count);
      const left = 'select from outbox where subject like $1';
      await until('an empty outbox', async () => (await database.query(left, [`${mine}%`])).rows.length === 0);
      return (await read()).map(({ headers, data }) => ({
        type: /ce-type: (\S+)/.exec(headers)?.[1] ?? '',
        data: JSON.parse(data),
      }));
    },
  };
}
