import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserServiceService as methods, Role } from '../../functions/gen/millrace/users/v1/users.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { until } from '../support/until.ts';
import { startUserService, type UserServiceFixture } from '../support/user-service-fixture.ts';
import { failure, usersOf, whileLocked } from '../support/users.ts';

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

const refresh = (refreshToken: string) => service.call(methods.refreshToken, { refreshToken });
const validate = (accessToken: string) => service.call(methods.validateToken, { accessToken });
const later = (seconds: number) =>
  backends.database.query(`update refresh_tokens set used_at = used_at - $1 * interval '1 s'`, [seconds]);
const unauthenticated = (slug: string) => ({ code: 'unauthenticated', slug });

describe('a session', () => {
  test('gives tokens that are stored nowhere as they are', async () => {
    const { accessToken, refreshToken } = await users.signedIn();
    expect(refreshToken).toMatch(/^[\w-]{43}$/);
    const { rows } =
      await backends.database.query(`select row_to_json(sessions)::text || row_to_json(refresh_tokens)::text
      as text from sessions join refresh_tokens using (session_id)`);
    const stored = rows.map(({ text }) => text).join();
    for (const secret of [refreshToken, accessToken, Buffer.from(refreshToken, 'base64url').toString('hex')])
      expect(stored).not.toContain(secret);
  });

  test('ends 30 days after the sign-in, however often it is refreshed', async () => {
    const { refreshToken, sessionExpiresAt } = await users.signedIn();
    expect(Math.abs((sessionExpiresAt?.getTime() ?? 0) - Date.now() - 30 * 86_400_000)).toBeLessThan(60_000);
    const next = await refresh(refreshToken);
    expect(next.sessionExpiresAt).toEqual(sessionExpiresAt);
    const { sessionId } = await validate(next.accessToken);
    await backends.database.query('update sessions set expires_at = now() where session_id = $1', [sessionId]);
    await expect(refresh(next.refreshToken)).rejects.toMatchObject(unauthenticated('session-ended'));
    await expect(validate(next.accessToken)).rejects.toMatchObject(unauthenticated('session-ended'));
  });

  test('over the limit of 50 ends the oldest one', async () => {
    const { user, accessToken } = await users.signedIn();
    const second = await users.signIn(user.email);
    await backends.database.query(
      `insert into sessions select gen_random_uuid(), $1, 'salt', now(), now() + interval '1 day' from generate_series(1, 48)`,
      [user.userId],
    );
    await validate(accessToken);
    await users.signIn(user.email);
    await expect(validate(accessToken)).rejects.toMatchObject(unauthenticated('session-ended'));
    expect(await validate(second.accessToken)).toMatchObject({ userId: user.userId });
  });

  /** A session that expired two days ago, with so many refresh tokens. */
  async function expired(tokens: number) {
    const { accessToken, user } = await users.signedIn();
    const { sessionId } = await validate(accessToken);
    await backends.database.query(
      `with expired as (
         update sessions set expires_at = now() - interval '2 days' where session_id = $1 returning session_id)
       insert into refresh_tokens select sha256((session_id::text || n)::bytea), session_id, now()
       from expired, generate_series(2, $2) n`,
      [sessionId, tokens],
    );
    const left = async (table: string) =>
      (await backends.database.query(`select from ${table} where session_id = $1`, [sessionId])).rows.length;
    return { user, sessionId, left };
  }

  test('that has expired long ago is removed after a later sign-in, with all its tokens', async () => {
    const { user, left } = await expired(2_500);
    await users.signIn(user.email);
    await until('the session to be removed', async () => (await left('sessions')) === 0);
    expect(await left('refresh_tokens')).toBe(0);
  });

  test('that has expired long ago and cannot be removed now holds no sign-in up', async () => {
    const { user, sessionId, left } = await expired(1);
    const client = await backends.database.connect();
    try {
      await client.query('begin');
      await client.query('select from refresh_tokens where session_id = $1 for update', [sessionId]);
      await users.signIn(user.email);
    } finally {
      await client.query('rollback');
      client.release();
    }
    expect(await left('sessions')).toBe(1);
  });

  test('ends when it was refreshed ten thousand times', async () => {
    const { accessToken, refreshToken } = await users.signedIn();
    const { sessionId } = await validate(accessToken);
    await backends.database.query('update sessions set refreshes = 9999 where session_id = $1', [sessionId]);
    const last = await refresh(refreshToken);
    await expect(refresh(last.refreshToken)).rejects.toMatchObject(unauthenticated('session-ended'));
    await expect(validate(last.accessToken)).rejects.toMatchObject(unauthenticated('session-ended'));
  });
});

describe('RefreshToken', () => {
  test('gives the next pair of tokens of the same session', async () => {
    const first = await users.signedIn();
    const next = await refresh(first.refreshToken);
    expect(next).toEqual({
      accessToken: expect.any(String),
      expiresInSeconds: 600,
      refreshToken: expect.stringMatching(/^[\w-]{43}$/),
      sessionExpiresAt: first.sessionExpiresAt,
    });
    expect(next.refreshToken).not.toBe(first.refreshToken);
    const { expiresAt: _, ...before } = await validate(first.accessToken);
    expect(await validate(next.accessToken)).toMatchObject(before);
  });

  test('gives the role as it is now', async () => {
    const { user, refreshToken } = await users.signedIn();
    await backends.database.query(`update users set role = 'staff' where user_id = $1`, [user.userId]);
    const { accessToken } = await refresh(refreshToken);
    expect(await validate(accessToken)).toMatchObject({ role: Role.ROLE_STAFF });
  });

  test('gives whoever lost the answer the very same successor', async () => {
    const { refreshToken } = await users.signedIn();
    const first = await refresh(refreshToken);
    await later(8);
    expect((await refresh(refreshToken)).refreshToken).toBe(first.refreshToken);
  });

  test('gives six who come at once the same successor, and stores one', async () => {
    const { refreshToken, accessToken } = await users.signedIn();
    const { sessionId } = await validate(accessToken);
    const statement = 'select from refresh_tokens where session_id = $1 for update';
    const answers = await whileLocked(backends, { statement, values: [sessionId], waiting: 4 }, () =>
      Promise.all(Array.from({ length: 6 }, () => refresh(refreshToken))),
    );
    expect(new Set(answers.map((answer) => answer.refreshToken)).size).toBe(1);
    const { rows } = await backends.database.query('select used_at from refresh_tokens where session_id = $1', [
      sessionId,
    ]);
    expect(rows.filter(({ used_at }) => used_at === null)).toHaveLength(1);
    expect(rows).toHaveLength(2);
  });

  test('with a token used long before ends the session, for thief and owner, and logs it without the token', async () => {
    const { user, refreshToken } = await users.signedIn();
    const next = await refresh(refreshToken);
    const { sessionId } = await validate(next.accessToken);
    await later(11);
    await expect(refresh(refreshToken)).rejects.toMatchObject(unauthenticated('refresh-token-reused'));
    await expect(refresh(next.refreshToken)).rejects.toMatchObject(unauthenticated('session-ended'));
    await expect(validate(next.accessToken)).rejects.toMatchObject(unauthenticated('session-ended'));
    const line = await until('a warning', () => service.process.lines.find((one) => one.includes(sessionId)));
    expect(JSON.parse(line)).toMatchObject({ level: 'warn', session: sessionId, user: user.userId });
    expect(service.process.lines.join()).not.toContain(refreshToken);
  });

  test('with a token whose successor is used already ends the session, however soon', async () => {
    const { refreshToken } = await users.signedIn();
    const next = await refresh(refreshToken);
    const newest = await refresh(next.refreshToken);
    await expect(refresh(refreshToken)).rejects.toMatchObject(unauthenticated('refresh-token-reused'));
    await expect(refresh(newest.refreshToken)).rejects.toMatchObject(unauthenticated('session-ended'));
  });

  test('leaves other sessions of the user alone when it ends one', async () => {
    const { user, refreshToken } = await users.signedIn();
    const other = await users.signIn(user.email);
    await refresh(refreshToken);
    await later(11);
    await failure(refresh(refreshToken));
    expect(await refresh(other.refreshToken)).toMatchObject({ expiresInSeconds: 600 });
  });

  test.each(['', 'x', 'A'.repeat(43), 'A'.repeat(5_000), 'ä'.repeat(43)])(
    'refuses what was never given',
    async (token) => {
      await expect(refresh(token)).rejects.toMatchObject(unauthenticated('invalid-refresh-token'));
    },
  );
});

describe('RevokeSession', () => {
  const revoke = (token: string, sessionId = '') => service.call(methods.revokeSession, { sessionId }, { token });

  test('ends the session of the token, and once more is no error', async () => {
    const { accessToken, refreshToken } = await users.signedIn();
    await revoke(accessToken);
    await expect(validate(accessToken)).rejects.toMatchObject(unauthenticated('session-ended'));
    await expect(refresh(refreshToken)).rejects.toMatchObject(unauthenticated('session-ended'));
    await revoke(accessToken);
  });

  test('ends another session of the same user', async () => {
    const { user, accessToken } = await users.signedIn();
    const other = await users.signIn(user.email);
    const { sessionId } = await validate(other.accessToken);
    await revoke(accessToken, sessionId);
    await revoke(accessToken, sessionId);
    await expect(validate(other.accessToken)).rejects.toMatchObject(unauthenticated('session-ended'));
    expect(await validate(accessToken)).toMatchObject({ userId: user.userId });
  });

  test("does not find another user's session, or none", async () => {
    const [mine, theirs] = [await users.signedIn(), await users.signedIn()];
    const { sessionId } = await validate(theirs.accessToken);
    for (const id of [sessionId, randomUUID(), 'x'])
      await expect(revoke(mine.accessToken, id)).rejects.toMatchObject({
        code: 'not-found',
        slug: 'session-not-found',
      });
    expect(await validate(theirs.accessToken)).toMatchObject({ sessionId });
  });

  test('of an ended session ends no other', async () => {
    const { user, accessToken } = await users.signedIn();
    const other = await users.signIn(user.email);
    const { sessionId } = await validate(other.accessToken);
    await revoke(accessToken);
    await expect(revoke(accessToken, sessionId)).rejects.toMatchObject(unauthenticated('session-ended'));
  });

  test('is for users', async () => {
    await expect(service.call(methods.revokeSession, {})).rejects.toMatchObject(unauthenticated('no-token'));
    await expect(revoke('no.token.here')).rejects.toMatchObject(unauthenticated('invalid-token'));
  });
});

test('GetSigningKeys gives the key that verifies, and nothing that signs', async () => {
  const { jwks } = await service.call(methods.getSigningKeys, {});
  const { accessToken } = await users.signedIn();
  const { kid } = JSON.parse(Buffer.from(accessToken.split('.')[0] ?? '', 'base64url').toString());
  expect(JSON.parse(jwks)).toEqual({
    keys: [{ kty: 'OKP', crv: 'Ed25519', x: expect.any(String), kid, alg: 'EdDSA', use: 'sig' }],
  });
});
