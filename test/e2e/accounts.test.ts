import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readKeySet, verifyAccessToken } from '../../functions/users/access-token.ts';
import { pathsOf } from '../../scripts/platform/servers/data-folder.ts';
import {
  type Account,
  confirmAddress,
  isOfAccounts,
  mailsTo,
  mailTo,
  newAccount,
  tokenIn,
} from '../support/accounts.ts';
import { answered, operations } from '../support/contract.ts';
import { type Answer, startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let shop: Awaited<ReturnType<typeof startShop>>;
let staff: string;

beforeAll(async () => {
  shop = await startShop();
  staff = await shop.signIn(shop.demo.staff);
});

afterAll(() => shop?.end());

const VERIFY = 'Confirm your e-mail address';

const post = (path: string, body: unknown, token?: string, headers: Record<string, string> = {}) =>
  shop.call('POST', path, { body, headers, ...(token ? { token } : {}) });
const get = (path: string, token: string) => shop.call('GET', path, { token });

async function signUp(account: Account, more: object = {}): Promise<string> {
  const { status, body } = await post('/v1/users', { ...account, ...more });
  expect(status).toBe(201);
  return body.userId;
}

const signIn = ({ email, password }: Account) => post('/v1/sessions', { email, password });

/** A new session; of a new account unless told. */
async function signedIn(account?: Account) {
  const owner = account ?? newAccount();
  if (!account) await signUp(owner);
  const { status, body } = await signIn(owner);
  expect(status).toBe(201);
  const { accessToken, refreshToken, user } = body;
  return { email: owner.email, password: owner.password, userId: user.userId, accessToken, refreshToken };
}

test('the link of the welcome confirms the address, which the account then shows', async () => {
  const account = newAccount();
  await signUp(account, { name: 'Ada Lovelace' });
  const { email, accessToken } = await signedIn(account);
  expect((await get('/v1/users/me', accessToken)).body).toMatchObject({
    email,
    name: 'Ada Lovelace',
    emailVerifiedAt: null,
  });
  expect((await confirmAddress(shop, email)).status).toBe(204);
  expect((await confirmAddress(shop, email)).status).toBe(204);
  const { body } = await get('/v1/users/me', accessToken);
  expect(Date.parse(body.emailVerifiedAt)).toBeGreaterThanOrEqual(Date.parse(body.createdAt));
});

test.each([
  ['/v1/email-verifications', {}],
  ['/v1/password-resets/confirmations', { newPassword: randomUUID() }],
])('%s refuses a token that was never given', async (path, more) => {
  expect(await post(path, { token: randomUUID(), ...more })).toMatchObject({
    status: 409,
    body: { slug: 'link-invalid' },
  });
});

test.each(['/verify-email', '/reset-password'])('the page %s asks for nothing from elsewhere', async (path) => {
  const page = await shop.call('GET', path);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'sha256-");
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');
});

test('a session goes on with its refresh token, until it is signed out', async () => {
  const first = await signedIn();
  const refreshed = await post('/v1/sessions/refresh', { refreshToken: first.refreshToken });
  expect(refreshed).toMatchObject({ status: 200, body: { tokenType: 'Bearer', expiresInSeconds: 600 } });
  expect(refreshed.headers.get('cache-control')).toBe('no-store');
  const { accessToken, refreshToken } = refreshed.body;
  expect((await get('/v1/users/me', accessToken)).status).toBe(200);
  expect((await post('/v1/sessions/refresh', { refreshToken: first.refreshToken })).body).toMatchObject({
    refreshToken,
  });
  const signOut = () => shop.call('DELETE', '/v1/sessions/current', { token: accessToken });
  expect((await signOut()).status).toBe(204);
  expect((await signOut()).status).toBe(204);
  expect(await post('/v1/sessions/refresh', { refreshToken })).toMatchObject({ status: 401 });
  const me = await get('/v1/users/me', accessToken);
  expect(me).toMatchObject({ status: 401, body: { slug: 'session-ended' } });
  expect(me.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
});

test('a changed password ends the other sessions, and is told by e-mail', async () => {
  const account = await signedIn();
  const other = await signedIn(account);
  const change = (currentPassword: string, newPassword: string) =>
    shop.call('PUT', '/v1/users/me/password', {
      token: account.accessToken,
      body: { currentPassword, newPassword },
    });
  expect(await change('not the password', randomUUID())).toMatchObject({
    status: 401,
    body: { slug: 'wrong-credentials' },
  });
  expect(await change(account.password, 'short')).toMatchObject({
    status: 400,
    body: { errors: [{ field: 'newPassword' }] },
  });
  const newPassword = randomUUID();
  expect((await change(account.password, newPassword)).status).toBe(204);
  expect(await post('/v1/sessions/refresh', { refreshToken: other.refreshToken })).toMatchObject({ status: 401 });
  expect(await post('/v1/sessions/refresh', { refreshToken: account.refreshToken })).toMatchObject({ status: 200 });
  expect(await signIn(account)).toMatchObject({ status: 401, body: { slug: 'wrong-credentials' } });
  await signedIn({ email: account.email, password: newPassword });
  await mailTo(shop, account.email, 'Your password was changed');
});

test('a forgotten password is set anew by e-mail, and nobody learns who has an account', async () => {
  const account = await signedIn();
  const known = await post('/v1/password-resets', { email: account.email });
  const unknown = await post('/v1/password-resets', { email: newAccount().email });
  const told = ({ status, headers, body }: Answer<unknown>) => ({
    status,
    body,
    headers: [...headers.keys()].filter((name) => name !== 'date').sort(),
  });
  expect(told(known)).toMatchObject({ status: 202, body: undefined });
  expect(told(unknown)).toEqual(told(known));

  const token = tokenIn(await mailTo(shop, account.email, 'Set a new password'), shop, '/reset-password');
  const confirm = (newPassword: string) => post('/v1/password-resets/confirmations', { token, newPassword });
  expect(await confirm('short')).toMatchObject({ status: 400, body: { errors: [{ field: 'newPassword' }] } });
  const password = randomUUID();
  expect((await confirm(password)).status).toBe(204);
  expect(await confirm(randomUUID())).toMatchObject({ status: 409, body: { slug: 'link-invalid' } });
  expect(await post('/v1/sessions/refresh', { refreshToken: account.refreshToken })).toMatchObject({ status: 401 });
  expect(await signIn(account)).toMatchObject({ status: 401, body: { slug: 'wrong-credentials' } });
  await signedIn({ email: account.email, password });
});

test('a user whom staff suspend can neither sign in nor go on', async () => {
  const account = await signedIn();
  const suspend = (token: string, userId: string) =>
    post(`/v1/users/${userId}/suspensions`, { reason: 'stolen card' }, token);
  expect(await suspend(account.accessToken, account.userId)).toMatchObject({
    status: 403,
    body: { slug: 'wrong-role' },
  });
  const suspended = await suspend(staff, account.userId);
  expect(suspended).toMatchObject({ status: 200, body: { userId: account.userId, suspendedAt: expect.any(String) } });
  expect(await suspend(staff, account.userId)).toMatchObject({ status: 200, body: suspended.body });
  expect(await signIn(account)).toMatchObject({ status: 403, body: { slug: 'user-suspended' } });
  expect(await post('/v1/sessions/refresh', { refreshToken: account.refreshToken })).toMatchObject({ status: 401 });
  expect(await suspend(staff, randomUUID())).toMatchObject({ status: 404, body: { slug: 'user-not-found' } });
});

test('staff page through all users, the newest first; customers may not', async () => {
  const made: string[] = [];
  for (let index = 0; index < 3; index += 1) made.unshift(await signUp(newAccount()));
  const pages: string[][] = [];
  let at: string | undefined = '/v1/users?limit=2';
  while (at && pages.length < 2) {
    const page: Answer<{ users: { userId: string }[] }> = await get(at, staff);
    expect(page.status).toBe(200);
    pages.push(page.body.users.map(({ userId }) => userId));
    at = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
  }
  expect(pages.map(({ length }) => length)).toEqual([2, 2]);
  expect(pages.flat().slice(0, 3)).toEqual(made);
  expect(new Set(pages.flat()).size).toBe(4);
  const { accessToken } = await signedIn();
  expect(await get('/v1/users', accessToken)).toMatchObject({ status: 403, body: { slug: 'wrong-role' } });
  for (const [query, field] of [
    ['limit=101', 'limit'],
    ['cursor=garbage', 'cursor'],
  ])
    expect(await get(`/v1/users?${query}`, staff)).toMatchObject({ status: 400, body: { errors: [{ field }] } });
});

test('a name is changed by its owner', async () => {
  const { accessToken } = await signedIn();
  const rename = (name: string) => shop.call('PATCH', '/v1/users/me', { token: accessToken, body: { name } });
  expect(await rename('Ada Lovelace')).toMatchObject({ status: 200, body: { name: 'Ada Lovelace' } });
  expect(await rename('x'.repeat(101))).toMatchObject({ status: 400, body: { errors: [{ field: 'name' }] } });
  expect((await get('/v1/users/me', accessToken)).body.name).toBe('Ada Lovelace');
});

test('the same Idempotency-Key is one user and one e-mail; for another e-mail it is 422', async () => {
  const account = newAccount();
  const key = { 'idempotency-key': randomUUID() };
  const answers = await Promise.all(Array.from({ length: 4 }, () => post('/v1/users', account, undefined, key)));
  for (const answer of answers) expect(answer).toMatchObject({ status: 201, body: answers[0]?.body });
  expect(await post('/v1/users', newAccount(), undefined, key)).toMatchObject({
    status: 422,
    body: { slug: 'idempotency-key-reused' },
  });
  expect(await post('/v1/users', account)).toMatchObject({ status: 409, body: { slug: 'email-taken' } });
  const later = newAccount();
  await signUp(later);
  await mailTo(shop, later.email, VERIFY);
  await mailTo(shop, account.email, VERIFY);
  expect(await mailsTo(shop, account.email)).toHaveLength(1);
});

test('whoever has the published keys can verify an access token', async () => {
  const { accessToken } = await signedIn();
  const answer = await shop.call('GET', '/.well-known/jwks.json');
  expect(answer.headers.get('cache-control')).toBe('public, max-age=60');
  const keys = await readKeySet(JSON.stringify(answer.body));
  expect(decodeProtectedHeader(accessToken).kid).toBe(keys[0]?.kid);
  const { userId } = await verifyAccessToken(accessToken, keys, new Date());
  expect((await get('/v1/users/me', accessToken)).body.userId).toBe(userId);
});

test('while user-service does not answer, who is signed in goes on, and nobody else gets in', async () => {
  const account = await signedIn();
  const orders = () => get('/v1/orders', account.accessToken);
  expect((await orders()).status).toBe(200);
  const { pids } = await shop.functionState('user-service');
  try {
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    const [refused, ...listings] = await Promise.all([signIn(account), orders(), orders()]);
    expect(listings.map(({ status }) => status)).toEqual([200, 200]);
    expect(refused).toMatchObject({ status: 503, body: { slug: 'users-unavailable' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await orders()).status).toBe(200);
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  }
  await until('sign-ins to work again', async () => (await signIn(account)).status === 201, 60_000);
});

test('while user-service does not answer, who is signed in goes on even after the function has slept', async () => {
  const { accessToken } = await signedIn();
  const { pids } = await shop.functionState('user-service');
  try {
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await until(
      'queries-api to sleep',
      async () => (await shop.functionState('queries-api')).pids.length === 0,
      60_000,
    );
    expect((await get('/v1/orders', accessToken)).status).toBe(200);
    const { status, body } = await shop.call('GET', '/.well-known/jwks.json');
    expect({ status, kids: body.keys.map(({ kid }: { kid: string }) => kid) }).toEqual({
      status: 200,
      kids: [decodeProtectedHeader(accessToken).kid],
    });
    expect((await shop.functionState('user-service')).pids).toEqual(pids);
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  }
  await until('accounts to be read again', async () => (await get('/v1/users/me', accessToken)).status === 200, 60_000);
});

// The last one to sign in: for a while nobody here can any more.
test('failed sign-ins count against the address of the client, whatever X-Forwarded-For it makes up', async () => {
  const refused = await until('too many sign-ins', async () => {
    const made = { 'x-forwarded-for': `203.0.113.${Math.floor(Math.random() * 256)}` };
    // Fewer than the places that one address has in the queue of passwords.
    const tries = Array.from({ length: 3 }, () => post('/v1/sessions', newAccount(), undefined, made));
    return (await Promise.all(tries)).find(({ status }) => status === 429);
  });
  expect(refused.body.slug).toBe('too-many-sign-ins');
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('every operation on accounts has been answered as the document says', () => {
  expect([...answered].filter(isOfAccounts).sort()).toEqual(operations.filter(isOfAccounts).sort());
});

test('nothing that was logged, traced or counted tells a secret, or anything of a person', async () => {
  await until('spans', async () => existsSync(pathsOf(shop.dataDir).traces));
  expect(await shop.leaks()).toEqual([]);
});
