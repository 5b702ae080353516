import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { UserServiceService as methods } from '../../functions/gen/millrace/users/v1/users.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { until } from '../support/until.ts';
import { startUserService, type UserServiceFixture } from '../support/user-service-fixture.ts';
import { failure, newEmail, password, usersOf, whileLocked } from '../support/users.ts';

let backends: Backends;
let service: UserServiceFixture;
let users: ReturnType<typeof usersOf>;

beforeAll(async () => {
  backends = await startBackends();
  service = await startUserService(backends);
  users = usersOf(service, backends);
});

afterAll(async () => {
  await service?.stop();
  await backends?.stop();
});

const WINDOW_MS = 10 * 60_000;

// Counts begin anew with each window: a test must not run into the next one.
beforeEach(async () => {
  await until('a window with time left', () => WINDOW_MS - (Date.now() % WINDOW_MS) > 25_000, 60_000);
  await backends.database.query('delete from attempts');
});

const wrong = 'wrong horse battery';
const tooMany = { code: 'exhausted', slug: 'too-many-sign-ins' };
const wrongCredentials = { code: 'unauthenticated', slug: 'wrong-credentials' };

/** What becomes of wrong passwords, one after the other: slug → how often. */
async function tryWrong(email: string, address: string | undefined, times: number): Promise<Record<string, number>> {
  const slugs: Record<string, number> = {};
  for (let attempt = 0; attempt < times; attempt += 1) {
    const { slug } = await failure(users.signIn(email, address ? { address } : {}, wrong));
    slugs[slug] = (slugs[slug] ?? 0) + 1;
  }
  return slugs;
}

describe('failed sign-ins', () => {
  test('are throttled by account and address after five, until the window ends', async () => {
    const { email } = await users.signUp();
    const from = { address: '192.0.2.1' };
    expect(await tryWrong(email, from.address, 7)).toEqual({ 'wrong-credentials': 5, 'too-many-sign-ins': 2 });
    const error = await failure(users.signIn(email, from));
    expect(error).toMatchObject(tooMany);
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(error.retryAfterMs).toBeLessThanOrEqual(WINDOW_MS);
    await backends.database.query(`update attempts set window_start = window_start - interval '10 minutes'`);
    await users.signIn(email, from);
  });

  test('are throttled by account after thirty, from wherever they come', async () => {
    const { email } = await users.signUp();
    for (let last = 1; last <= 6; last += 1)
      expect(await tryWrong(email, `192.0.2.${last}`, 5)).toEqual({ 'wrong-credentials': 5 });
    await expect(users.signIn(email, { address: '192.0.2.7' })).rejects.toMatchObject(tooMany);
    await expect(users.signIn(email)).rejects.toMatchObject(tooMany);
  });

  test('of an e-mail that nobody has, or that is none, are throttled in the same way, with the same answers', async () => {
    const { email } = await users.signUp();
    const answers = async (one: string, address: string) => {
      const errors = [];
      for (let attempt = 0; attempt < 7; attempt += 1)
        errors.push(await failure(users.signIn(one, { address }, wrong)));
      return errors.map(({ code, slug, message, fields, retryAfterMs }) => {
        return { code, slug, message, fields, waits: retryAfterMs !== undefined };
      });
    };
    const known = await answers(email, '192.0.2.1');
    for (const [index, unknown] of [newEmail(), 'nobody', ''].entries())
      expect(await answers(unknown, `192.0.2.${index + 2}`)).toEqual(known);
  });

  test('are counted for an account however its e-mail is written', async () => {
    const { email } = await users.signUp();
    await tryWrong(email, '192.0.2.1', 3);
    await tryWrong(email.toUpperCase(), '192.0.2.1', 2);
    await expect(users.signIn(` ${email} `, { address: '192.0.2.1' })).rejects.toMatchObject(tooMany);
  });

  test('are throttled by address after thirty, whatever the accounts; an IPv6 network of 64 bits is one address', async () => {
    for (let account = 0; account < 6; account += 1) await tryWrong(newEmail(), `2001:db8::${account + 1}`, 5);
    const { email } = await users.signUp();
    await expect(users.signIn(email, { address: '2001:db8::ffff' })).rejects.toMatchObject(tooMany);
    await users.signIn(email, { address: '2001:db8:0:1::1' });
  });

  test('from elsewhere do not keep the owner out who has signed in from this address before', async () => {
    const { email } = await users.signUp();
    await users.signIn(email, { address: '192.0.2.1' });
    for (let last = 1; last <= 6; last += 1) await tryWrong(email, `198.51.100.${last}`, 5);
    await expect(users.signIn(email, { address: '192.0.2.2' })).rejects.toMatchObject(tooMany);
    await users.signIn(email, { address: '192.0.2.1' });
    expect(await tryWrong(email, '192.0.2.1', 11)).toMatchObject({ 'wrong-credentials': 10 });
    await expect(users.signIn(email, { address: '192.0.2.1' })).rejects.toMatchObject(tooMany);
  });

  test('on other accounts do not keep the owner out who has signed in from this address before', async () => {
    const { email } = await users.signUp();
    await users.signIn(email, { address: '192.0.2.1' });
    for (let account = 0; account < 6; account += 1) await tryWrong(newEmail(), '192.0.2.1', 5);
    await expect(users.signIn(newEmail(), { address: '192.0.2.1' })).rejects.toMatchObject(tooMany);
    await users.signIn(email, { address: '192.0.2.1' });
  });

  test('do not count when they succeed', async () => {
    const { email } = await users.signUp();
    for (let round = 0; round < 35; round += 1) await users.signIn(email, { address: '192.0.2.1' });
    const { rows } = await backends.database.query('select count from attempts where count > 0');
    expect(rows).toEqual([]);
  });

  test('that come all at once are not checked beyond the limit', async () => {
    const { email } = await users.signUp();
    const address = '192.0.2.1';
    await tryWrong(email, address, 4);
    const errors = await whileLocked(backends, { statement: 'select from attempts for update', waiting: 4 }, () =>
      Promise.all(Array.from({ length: 6 }, () => failure(users.signIn(email, { address }, wrong)))),
    );
    expect(errors.filter(({ slug }) => slug === 'wrong-credentials')).toHaveLength(1);
    expect(errors.filter(({ slug }) => slug === 'too-many-sign-ins')).toHaveLength(5);
  });

  test('are shared by all replicas', async () => {
    const other = await startUserService(backends);
    const { email } = await users.signUp();
    const address = '192.0.2.1';
    await tryWrong(email, address, 5);
    await expect(other.call(methods.authenticate, { email, password }, { address })).rejects.toMatchObject(tooMany);
    await other.stop();
  });

  test('in windows long past are removed', async () => {
    await backends.database.query(
      `insert into attempts select now() - interval '1 day', sha256(n::text::bytea), 1 from generate_series(1, 15) n`,
    );
    await tryWrong(newEmail(), '192.0.2.1', 1);
    const { rows } = await backends.database.query(
      `select from attempts where window_start < now() - interval '1 hour'`,
    );
    expect(rows).toEqual([]);
  });

  test('leave no e-mail and no address in the store', async () => {
    const { email } = await users.signUp();
    await users.signIn(email, { address: '192.0.2.77' });
    await tryWrong(email, '192.0.2.77', 1);
    const { rows } = await backends.database.query(
      `select key::text as text from attempts union all select address_hash::text from known_addresses`,
    );
    expect(rows.length).toBeGreaterThan(2);
    for (const { text } of rows) expect(text).toMatch(/^\\x[0-9a-f]{64}$/);
  });
});

test('ten thousand wrong sign-ins from one address leave everybody else alone', async () => {
  const [owner, other] = [await users.signUp(), await users.signUp()];
  await users.signIn(owner.email, { address: '192.0.2.1' });
  const slugs: Record<string, number> = {};
  let left = 10_000;
  const attack = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const error = await failure(users.signIn(owner.email, { address: '198.51.100.1' }, wrong));
      slugs[error.slug] = (slugs[error.slug] ?? 0) + 1;
    }
  };
  const attackers = Promise.all(Array.from({ length: 50 }, attack));
  await until('the attack to be under way', () => left < 9_500);
  const ownerFrom = users.signIn(owner.email, { address: '192.0.2.1' });
  const otherFrom = users.signIn(other.email, { address: '192.0.2.2' });
  for (const signedIn of [await ownerFrom, await otherFrom]) expect(signedIn.expiresInSeconds).toBe(600);
  expect(left, 'attempts left when both had signed in').toBeGreaterThan(0);
  await attackers;
  const { 'wrong-credentials': checked = 0, ...refused } = slugs;
  expect(checked).toBeGreaterThan(0);
  expect(checked).toBeLessThanOrEqual(5);
  for (const slug of Object.keys(refused)) expect(['too-many-passwords', 'too-many-sign-ins']).toContain(slug);
  expect(Object.values(slugs).reduce((sum, count) => sum + count, 0)).toBe(10_000);
});

describe('known addresses', () => {
  test('are twenty a user at most, the last used ones', async () => {
    const { email, userId } = await users.signUp();
    const signIn = (last: number) => users.signIn(email, { address: `192.0.2.${last}` });
    for (let last = 1; last <= 22; last += 1) await signIn(last);
    const count = 'select from known_addresses where user_id = $1';
    expect((await backends.database.query(count, [userId])).rows).toHaveLength(20);
    await tryWrong(email, undefined, 30);
    await expect(signIn(1)).rejects.toMatchObject(tooMany);
    await signIn(22);
  });
});

describe('ChangePassword', () => {
  const next = 'another horse battery';
  const address = '192.0.2.1';
  const change = (token: string, currentPassword: string, newPassword = next) =>
    service.call(methods.changePassword, { currentPassword, newPassword }, { token, address });

  test('gives a new password, ends all other sessions, and tells of it', async () => {
    const { user, accessToken, refreshToken } = await users.signedIn();
    const other = await users.signIn(user.email);
    await change(accessToken, password);
    await expect(users.signIn(user.email)).rejects.toMatchObject(wrongCredentials);
    await users.signIn(user.email, {}, next);
    await service.call(methods.refreshToken, { refreshToken });
    const ended = service.call(methods.refreshToken, { refreshToken: other.refreshToken });
    await expect(ended).rejects.toMatchObject({ slug: 'session-ended' });
    expect(await users.eventsOf(user.userId, 2)).toEqual([
      { type: 'user.created', data: expect.anything() },
      { type: 'user.password_changed', data: { userId: user.userId, changedAt: expect.any(String) } },
    ]);
  });

  test('with a wrong password changes nothing, and counts as a failed sign-in of the account', async () => {
    const { user, accessToken } = await users.signedIn();
    for (let attempt = 0; attempt < 5; attempt += 1)
      await expect(change(accessToken, wrong)).rejects.toMatchObject(wrongCredentials);
    await expect(change(accessToken, password)).rejects.toMatchObject(tooMany);
    await expect(users.signIn(user.email, { address })).rejects.toMatchObject(tooMany);
  });

  test.each([
    ['too short', 'ninechars', 'must have 10 to 128 characters'],
    ['a common one', 'password1234', 'is one of the most common passwords; take another one'],
  ])('refuses a new password that is %s', async (_, newPassword, message) => {
    const { accessToken } = await users.signedIn();
    const error = { code: 'invalid', slug: 'invalid-user', fields: [{ field: 'new_password', message }] };
    await expect(change(accessToken, password, newPassword)).rejects.toMatchObject(error);
  });

  test('is for users', async () => {
    const answer = service.call(methods.changePassword, { currentPassword: password, newPassword: next });
    await expect(answer).rejects.toMatchObject({ code: 'unauthenticated', slug: 'no-token' });
  });
});

describe('a suspended user', () => {
  test('is told so after the right password alone, and has no session left', async () => {
    const staff = await users.signedIn('staff');
    const { user, accessToken, refreshToken } = await users.signedIn();
    await service.call(methods.suspendUser, { userId: user.userId, reason: 'fraud' }, { token: staff.accessToken });
    const alive = 'select from sessions where user_id = $1 and revoked_at is null';
    expect((await backends.database.query(alive, [user.userId])).rows).toEqual([]);
    await expect(users.signIn(user.email)).rejects.toMatchObject({ code: 'forbidden', slug: 'user-suspended' });
    await expect(users.signIn(user.email, {}, wrong)).rejects.toMatchObject(wrongCredentials);
    const ended = { code: 'unauthenticated', slug: 'session-ended' };
    await expect(service.call(methods.validateToken, { accessToken })).rejects.toMatchObject(ended);
    await expect(service.call(methods.refreshToken, { refreshToken })).rejects.toMatchObject(ended);
    await expect(service.call(methods.updateUser, { name: 'Ada' }, { token: accessToken })).rejects.toMatchObject(
      ended,
    );
  });
});

describe('a sign-in whose password was checked', () => {
  /** Changes the user between the check of the password and the session that it would open. */
  async function overtaken(change: string) {
    const { email, userId } = await users.signUp();
    const statement = `update users set ${change} where user_id = $1`;
    const answer = await whileLocked(backends, { statement, values: [userId] }, () => failure(users.signIn(email)));
    expect((await backends.database.query('select from sessions where user_id = $1', [userId])).rows).toEqual([]);
    return answer;
  }

  test('opens no session when the password is changed meanwhile', async () => {
    expect(await overtaken(`password_hash = 'x'`)).toMatchObject(wrongCredentials);
  });

  test('opens no session when the user is suspended meanwhile', async () => {
    expect(await overtaken('suspended_at = now()')).toMatchObject({ code: 'forbidden', slug: 'user-suspended' });
  });
});
