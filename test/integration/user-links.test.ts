import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LinkPurpose, UserServiceService as methods } from '../../functions/gen/millrace/users/v1/users.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { until } from '../support/until.ts';
import { startUserService, type UserServiceFixture } from '../support/user-service-fixture.ts';
import { failure, newEmail, password, usersOf } from '../support/users.ts';

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

const HOUR_MS = 3_600_000;
const { LINK_PURPOSE_VERIFY_EMAIL: VERIFY, LINK_PURPOSE_RESET_PASSWORD: RESET } = LinkPurpose;
const next = 'another horse battery';

const ago = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);
const link = async (userId: string, purpose: LinkPurpose, requestedAt = ago(0)) =>
  service.call(methods.createLinkToken, { userId, purpose, requestedAt });
const verify = (token: string) => service.call(methods.verifyEmail, { token });
const reset = (token: string, newPassword = next) => service.call(methods.resetPassword, { token, newPassword });
const linkInvalid = { code: 'refused', slug: 'link-invalid' };
const notNeeded = { code: 'refused', slug: 'link-not-needed' };

describe('CreateLinkToken', () => {
  test('makes a token for a reset, good for 30 minutes from when it was asked for', async () => {
    const { userId } = await users.signUp();
    const requestedAt = ago(10);
    const { expiresAt } = await link(userId, RESET, requestedAt);
    expect(expiresAt?.getTime()).toBe(requestedAt.getTime() + 30 * 60_000);
    await expect(link(userId, RESET, ago(30))).rejects.toMatchObject(notNeeded);
  });

  test('makes a token for a verification, good for 24 hours from now, however long ago the user was created', async () => {
    const { userId } = await users.signUp();
    const before = Date.now();
    const { token, expiresAt } = await link(userId, VERIFY, ago(3 * 24 * 60));
    const madeAt = (expiresAt?.getTime() ?? 0) - 24 * HOUR_MS;
    expect(madeAt).toBeGreaterThanOrEqual(before);
    expect(madeAt).toBeLessThanOrEqual(Date.now());
    expect(await verify(token)).toMatchObject({ userId });
  });

  test.each([VERIFY, RESET])('makes a token that is stored hashed, for purpose %s', async (purpose) => {
    const { userId } = await users.signUp();
    const { token } = await link(userId, purpose);
    expect(token).toMatch(/^[\w-]{43}$/);
    const { rows } = await backends.database.query('select token_hash::text from link_tokens where user_id = $1', [
      userId,
    ]);
    expect(rows).toEqual([{ token_hash: expect.stringMatching(/^\\x[0-9a-f]{64}$/) }]);
  });

  test('does not believe that something was asked for in the future', async () => {
    const { userId } = await users.signUp();
    const { expiresAt } = await link(userId, RESET, ago(-60));
    expect(expiresAt?.getTime()).toBeLessThanOrEqual(Date.now() + 30 * 60_000);
  });

  test('is not needed for an address that is verified', async () => {
    const { userId } = await users.signUp();
    const { token } = await link(userId, VERIFY);
    await verify(token);
    await expect(link(userId, VERIFY)).rejects.toMatchObject(notNeeded);
  });

  test('of an earlier request does not take the place of a later one', async () => {
    const { userId } = await users.signUp();
    const { token } = await link(userId, RESET, ago(1));
    await expect(link(userId, RESET, ago(2))).rejects.toMatchObject(notNeeded);
    await reset(token);
  });

  test('says what is wrong', async () => {
    const { userId } = await users.signUp();
    await expect(link('x', VERIFY)).rejects.toMatchObject({ code: 'invalid', slug: 'invalid-user-id' });
    await expect(link(randomUUID(), VERIFY)).rejects.toMatchObject({ code: 'not-found', slug: 'user-not-found' });
    for (const purpose of [0, 3] as LinkPurpose[])
      await expect(link(userId, purpose)).rejects.toMatchObject({ code: 'invalid', slug: 'invalid-purpose' });
  });

  test('is for the function that sends the links, by its name and without a token', async () => {
    const { user, accessToken } = await users.signedIn('staff');
    const request = { userId: user.userId, purpose: VERIFY };
    for (const from of [
      { token: accessToken },
      { metadata: { 'millrace-function': '' } },
      { metadata: { 'millrace-function': 'order-emails' } },
    ]) {
      const answer = service.call(methods.createLinkToken, request, from);
      await expect(answer).rejects.toMatchObject({ code: 'forbidden', slug: 'wrong-caller' });
    }
  });
});

describe('VerifyEmail', () => {
  test('verifies the address; the same token again answers the same, and tells of it once', async () => {
    const user = await users.signUp();
    const { token } = await link(user.userId, VERIFY);
    const verified = await verify(token);
    expect(verified).toEqual({ ...user, emailVerifiedAt: expect.any(Date) });
    expect(await Promise.all([verify(token), verify(token)])).toEqual([verified, verified]);
    const verifiedAt = verified.emailVerifiedAt?.toISOString();
    expect(await users.eventsOf(user.userId, 2)).toEqual([
      { type: 'user.created', data: expect.anything() },
      { type: 'user.email_verified', data: { userId: user.userId, verifiedAt } },
    ]);
  });

  test('does not take a token that was never given, is replaced, has expired, or is for something else', async () => {
    const { userId } = await users.signUp();
    const { token: replaced } = await link(userId, VERIFY);
    const { token: expired } = await link(userId, VERIFY);
    await backends.database.query('update link_tokens set expires_at = now() where user_id = $1', [userId]);
    const { token: other } = await link(userId, RESET);
    const errors = [];
    for (const token of ['', 'x', 'A'.repeat(43), replaced, expired, other]) errors.push(await failure(verify(token)));
    for (const error of errors) expect(error).toMatchObject(linkInvalid);
    expect(new Set(errors.map(({ message }) => message)).size).toBe(1);
  });
});

describe('RequestPasswordReset', () => {
  // Counts begin anew with each window: a test must not run into the next one.
  beforeEach(async () => {
    await until('a window with time left', () => 600_000 - (Date.now() % 600_000) > 20_000, 60_000);
    await backends.database.query('delete from attempts');
  });

  const request = (email: string, address?: string) =>
    service.call(methods.requestPasswordReset, { email }, address ? { address } : {});

  test('tells of a request, in whatever case the e-mail is written', async () => {
    const user = await users.signUp();
    await request(` ${user.email.toUpperCase()} `);
    expect(await users.eventsOf(user.userId, 2)).toEqual([
      { type: 'user.created', data: expect.anything() },
      { type: 'user.password_reset_requested', data: { userId: user.userId, requestedAt: expect.any(String) } },
    ]);
  });

  test('answers the same, and as late, for an e-mail that nobody has', async () => {
    const user = await users.signUp();
    const timed = async (email: string) => {
      const started = performance.now();
      return { answer: await request(email), tookMs: performance.now() - started };
    };
    for (let round = 0; round < 3; round += 1) {
      const [known, unknown] = [await timed(user.email), await timed(newEmail())];
      expect(known.answer).toEqual(unknown.answer);
      // Later than any work of the one or the other takes.
      for (const { tookMs } of [known, unknown]) expect(tookMs).toBeGreaterThan(240);
    }
  });

  const requestsOf = async (userId: string, count: number) =>
    (await users.eventsOf(userId, count + 1)).filter(({ type }) => type === 'user.password_reset_requested');

  test('tells of three requests of an account from one address, and answers all; another address has its own', async () => {
    const user = await users.signUp();
    for (let round = 0; round < 5; round += 1) await request(user.email, '192.0.2.1');
    await request(user.email, '192.0.2.2');
    expect(await requestsOf(user.userId, 4)).toHaveLength(4);
  });

  test('tells of ten requests of an account in an hour, and answers all', async () => {
    const user = await users.signUp();
    await until('an hour with time left', () => HOUR_MS - (Date.now() % HOUR_MS) > 20_000, 60_000);
    for (let round = 0; round < 12; round += 1) await request(user.email, `192.0.2.${round}`);
    expect(await requestsOf(user.userId, 10)).toHaveLength(10);
  });

  test('is refused after ten in ten minutes from one address, whatever the accounts', async () => {
    await Promise.all(Array.from({ length: 10 }, () => request(newEmail(), '192.0.2.1')));
    const error = await failure(request(newEmail(), '192.0.2.1'));
    expect(error).toMatchObject({ code: 'exhausted', slug: 'too-many-resets' });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    await request(newEmail(), '192.0.2.2');
  });

  test('does nothing for a suspended user', async () => {
    const [staff, user] = [await users.signedIn('staff'), await users.signUp()];
    await service.call(methods.suspendUser, { userId: user.userId }, { token: staff.accessToken });
    await request(user.email);
    expect((await users.eventsOf(user.userId, 2)).map(({ type }) => type)).toEqual(['user.created', 'user.suspended']);
  });

  test('refuses what is no e-mail', async () => {
    await expect(request('ada')).rejects.toMatchObject({ slug: 'invalid-user', fields: [{ field: 'email' }] });
  });
});

describe('ResetPassword', () => {
  test('sets a new password once, ends all sessions, verifies the address, and tells of it', async () => {
    const { user, refreshToken } = await users.signedIn();
    const { token } = await link(user.userId, RESET);
    await reset(token);
    await expect(users.signIn(user.email)).rejects.toMatchObject({ slug: 'wrong-credentials' });
    expect((await users.signIn(user.email, {}, next)).user?.emailVerifiedAt).toBeInstanceOf(Date);
    const ended = service.call(methods.refreshToken, { refreshToken });
    await expect(ended).rejects.toMatchObject({ slug: 'session-ended' });
    await expect(reset(token)).rejects.toMatchObject(linkInvalid);
    const events = await users.eventsOf(user.userId, 3);
    expect(events.map(({ type }) => type).sort()).toEqual([
      'user.created',
      'user.email_verified',
      'user.password_changed',
    ]);
  });

  test('by eight at once sets one password', async () => {
    const user = await users.signUp();
    const { token } = await link(user.userId, RESET);
    const words = Array.from({ length: 8 }, (_, index) => `the horse number ${index}`);
    const results = await Promise.allSettled(words.map((word) => reset(token, word)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winner = words[results.findIndex(({ status }) => status === 'fulfilled')] ?? '';
    await users.signIn(user.email, {}, winner);
  });

  test('with a password that will not do leaves the token good', async () => {
    const user = await users.signUp();
    const { token } = await link(user.userId, RESET);
    for (const word of ['short', 'password1234', user.email])
      await expect(reset(token, word)).rejects.toMatchObject({
        slug: 'invalid-user',
        fields: [{ field: 'new_password' }],
      });
    await reset(token);
  });

  test('does not take a token that was never given, is replaced, has expired, or is for something else', async () => {
    const { userId } = await users.signUp();
    const { token: replaced } = await link(userId, RESET);
    const { token: expired } = await link(userId, RESET);
    await backends.database.query('update link_tokens set expires_at = now() where user_id = $1', [userId]);
    const { token: other } = await link(userId, VERIFY);
    const errors = [];
    for (const token of ['', 'x', 'A'.repeat(43), replaced, expired, other]) errors.push(await failure(reset(token)));
    for (const error of errors) expect(error).toMatchObject(linkInvalid);
    expect(new Set(errors.map(({ message }) => message)).size).toBe(1);
  });

  test('does not work any more once the password was changed otherwise, or the user is suspended', async () => {
    const [staff, { user, accessToken }, suspended] = [
      await users.signedIn('staff'),
      await users.signedIn(),
      await users.signUp(),
    ];
    const [mine, theirs] = [await link(user.userId, RESET), await link(suspended.userId, RESET)];
    const change = { currentPassword: password, newPassword: next };
    await service.call(methods.changePassword, change, { token: accessToken });
    await service.call(methods.suspendUser, { userId: suspended.userId }, { token: staff.accessToken });
    for (const { token } of [mine, theirs]) await expect(reset(token)).rejects.toMatchObject(linkInvalid);
  });

  test('keeps tokens and e-mails out of the log', async () => {
    const user = await users.signUp();
    const { token } = await link(user.userId, RESET);
    await reset(token);
    await failure(reset(token));
    const log = service.process.lines.join('\n').toLowerCase();
    for (const secret of [token, user.email, next, '@example.com']) expect(log).not.toContain(secret.toLowerCase());
  });
});
