import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CreateUserRequest, UserServiceService as methods } from '../../functions/gen/millrace/users/v1/users.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { until } from '../support/until.ts';
import { type From, startUserService, type UserServiceFixture } from '../support/user-service-fixture.ts';
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

const wrongRole = { code: 'forbidden', slug: 'wrong-role' };
const noToken = { code: 'unauthenticated', slug: 'no-token' };
const notFound = { code: 'not-found', slug: 'user-not-found' };
const named = (name: string) => ({ 'millrace-function': name });
const field = (name: string) => ({ code: 'invalid', fields: [expect.objectContaining({ field: name })] });

describe('CreateUser', () => {
  const create = (request: Partial<CreateUserRequest>, from: From = {}) =>
    service.call(methods.createUser, { email: newEmail(), password, ...request }, from);

  test('keeps the id and the name that it is given', async () => {
    const userId = randomUUID();
    const user = await create({ userId, name: '  Ada Lovelace ' });
    expect(user).toMatchObject({ userId, name: 'Ada Lovelace', emailVerifiedAt: undefined, suspendedAt: undefined });
  });

  test('with the same id again answers the same user, and announces it once', async () => {
    const request = { userId: randomUUID().toUpperCase(), email: newEmail(), name: 'Ada' };
    const user = await create(request);
    expect(await create({ ...request, email: request.email.toUpperCase() })).toEqual(user);
    expect(await Promise.all([create(request), create(request)])).toEqual([user, user]);
    expect(await users.eventsOf(user.userId, 1)).toEqual([
      { type: 'user.created', data: { userId: user.userId, createdAt: user.createdAt?.toISOString() } },
    ]);
  });

  test('with the same id eight times at once creates one user', async () => {
    const request = { userId: randomUUID(), email: newEmail() };
    const answers = await Promise.all(Array.from({ length: 8 }, () => create(request)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await users.eventsOf(request.userId, 1)).toHaveLength(1);
  });

  test('with the same id again does not count as another sign-up from the address', async () => {
    const request = { userId: randomUUID(), email: newEmail() };
    const from = { address: '192.0.2.20' };
    await until('a window with time left', () => 600_000 - (Date.now() % 600_000) > 30_000, 60_000);
    const user = await create(request, from);
    for (let repeat = 0; repeat < 20; repeat += 1) expect(await create(request, from)).toEqual(user);
    for (let more = 0; more < 19; more += 1) await create({}, from);
    const tooMany = { code: 'exhausted', slug: 'too-many-sign-ups' };
    await expect(create({}, from)).rejects.toMatchObject(tooMany);
    await create({}, { address: '192.0.2.21' });
  });

  test('with the id of another user is refused', async () => {
    const { userId } = await users.signUp();
    await expect(create({ userId })).rejects.toMatchObject({ slug: 'invalid-user', ...field('user_id') });
  });

  test('does not tell by an id and an e-mail whether a password is right, however often it is asked', async () => {
    const { userId, email } = await users.signUp();
    const guess = (word: string) => create({ userId, email, password: word }, { address: '192.0.2.1' });
    for (let attempt = 0; attempt < 5; attempt += 1)
      expect(await failure(guess('wrong horse battery'))).toMatchObject({ code: 'refused', slug: 'email-taken' });
    await expect(guess(password)).rejects.toMatchObject({ code: 'exhausted', slug: 'too-many-sign-ins' });
  });

  test.each([
    ['a common password', { password: 'Password1234' }, 'password'],
    ['a password made of the e-mail', { email: 'ada.lovelace@example.com', password: 'Ada.Lovelace1815' }, 'password'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'name'],
    ['a name of two lines', { name: 'Ada\nLovelace' }, 'name'],
    ['an id that is no UUID', { userId: '42' }, 'user_id'],
  ])('refuses %s', async (_, request, name) => {
    await expect(create(request)).rejects.toMatchObject({ slug: 'invalid-user', ...field(name) });
  });
});

describe('GetUser', () => {
  const get = (userId: string, token?: string) => service.call(methods.getUser, { userId }, token ? { token } : {});

  test('shows users themselves, and nobody else', async () => {
    const [{ user, accessToken }, other] = [await users.signedIn(), await users.signUp()];
    expect(await get(user.userId, accessToken)).toEqual(user);
    expect(await get(user.userId.toUpperCase(), accessToken)).toEqual(user);
    await expect(get(other.userId, accessToken)).rejects.toMatchObject(notFound);
  });

  test.each(['', 'commands-api', 'order-views', 'Account-Emails'])('shows the function «%s» nobody', async (name) => {
    const { userId } = await users.signUp();
    const answer = service.call(methods.getUser, { userId }, { metadata: named(name) });
    await expect(answer).rejects.toMatchObject({ code: 'forbidden', slug: 'wrong-caller' });
  });

  test('shows staff, and functions that send e-mails, everybody', async () => {
    const [staff, other] = [await users.signedIn('staff'), await users.signUp()];
    expect(await get(other.userId, staff.accessToken)).toEqual(other);
    for (const name of ['account-emails', 'order-emails'])
      expect(await service.call(methods.getUser, { userId: other.userId }, { metadata: named(name) })).toEqual(other);
  });

  test.each(['', 'Bearer', 'Basic YTpi', 'no.token.here', 'Bearer no.token.here'])(
    'takes nobody with the authorization «%s» for a function',
    async (authorization) => {
      const { userId } = await users.signUp();
      const answer = service.call(methods.getUser, { userId }, { metadata: { authorization } });
      await expect(answer).rejects.toMatchObject({ code: 'unauthenticated', slug: 'invalid-token' });
    },
  );

  test('takes staff for customers as soon as they are', async () => {
    const [{ user, accessToken }, other] = [await users.signedIn('staff'), await users.signUp()];
    await backends.database.query(`update users set role = 'customer' where user_id = $1`, [user.userId]);
    await expect(get(other.userId, accessToken)).rejects.toMatchObject(notFound);
  });
});

describe('BatchGetUsers', () => {
  test('gives the users there are, in the order asked', async () => {
    const [a, b] = [await users.signUp(), await users.signUp()];
    const userIds = [b.userId, randomUUID(), a.userId.toUpperCase(), b.userId];
    expect((await service.call(methods.batchGetUsers, { userIds })).users).toEqual([b, a, b]);
    expect(await service.call(methods.batchGetUsers, {})).toEqual({ users: [] });
  });

  test('answers within the limit of a message for the hundred largest users there can be', async () => {
    const { rows } = await backends.database.query(
      `insert into users (user_id, email, password_hash, name, created_at, email_verified_at, suspended_at)
       select gen_random_uuid(), n || repeat('x', 244 - length(n::text)) || '@x.example', 'x', repeat('語', 100),
         '2200-12-31T23:59:59.999Z', '2200-12-31T23:59:59.999Z', '2200-12-31T23:59:59.999Z' from generate_series(1, 100) n
       returning user_id, length(email) as length`,
    );
    expect(rows[0].length).toBe(254);
    const userIds = rows.map(({ user_id }) => user_id);
    expect((await service.call(methods.batchGetUsers, { userIds })).users).toHaveLength(100);
    await backends.database.query('delete from users where user_id = any($1)', [userIds]);
  });

  test('names the id that is none, and takes a hundred', async () => {
    const ids = [randomUUID(), 'x'];
    const slug = 'invalid-user-id';
    await expect(service.call(methods.batchGetUsers, { userIds: ids })).rejects.toMatchObject({
      slug,
      ...field('user_ids[1]'),
    });
    const many = Array.from({ length: 101 }, () => randomUUID());
    await expect(service.call(methods.batchGetUsers, { userIds: many })).rejects.toMatchObject({
      slug,
      ...field('user_ids'),
    });
  });

  test('is for functions that send e-mails', async () => {
    const { accessToken } = await users.signedIn('staff');
    const byUser = service.call(methods.batchGetUsers, {}, { token: accessToken });
    await expect(byUser).rejects.toMatchObject({ code: 'forbidden', slug: 'wrong-caller' });
    await expect(service.call(methods.batchGetUsers, {}, { metadata: named('queries-api') })).rejects.toMatchObject({
      code: 'forbidden',
      slug: 'wrong-caller',
    });
    expect(await service.call(methods.batchGetUsers, {}, { metadata: named('order-emails') })).toEqual({ users: [] });
  });
});

describe('ListUsers', () => {
  test('lists everybody once, the newest first, also those of the same instant', async () => {
    const staff = await users.signedIn('staff');
    await backends.database.query(
      `insert into users (user_id, email, password_hash, created_at)
       select gen_random_uuid(), 'user' || n || '@example.com', 'x', '2020-01-01T00:00:00.000001Z' from generate_series(1, 30) n`,
    );
    const { rows } = await backends.database.query('select user_id from users order by created_at desc, user_id desc');
    const listed: string[] = [];
    let pageToken = '';
    do {
      const page = await service.call(methods.listUsers, { pageSize: 7, pageToken }, { token: staff.accessToken });
      listed.push(...page.users.map(({ userId }) => userId));
      pageToken = page.nextPageToken;
    } while (pageToken);
    expect(listed).toEqual(rows.map(({ user_id }) => user_id));
    const first = await service.call(methods.listUsers, {}, { token: staff.accessToken });
    expect(first.users).toHaveLength(20);
  });

  const token = (...place: unknown[]): string => Buffer.from(JSON.stringify(place)).toString('base64url');
  test.each([
    ['page_size', { pageSize: 101 }],
    ['page_size', { pageSize: -1 }],
    ['page_token', { pageToken: 'x' }],
    ['page_token', { pageToken: token('2020-01-01T00:00:00Z', "' or true --") }],
    ['page_token', { pageToken: token('0000-01-01T00:00:00Z', randomUUID()) }],
  ])('refuses a wrong %s', async (name, request) => {
    const staff = await users.signedIn('staff');
    const answer = service.call(methods.listUsers, request, { token: staff.accessToken });
    await expect(answer).rejects.toMatchObject({ slug: 'invalid-page', ...field(name) });
  });

  test('is for staff', async () => {
    const { accessToken } = await users.signedIn();
    await expect(service.call(methods.listUsers, {}, { token: accessToken })).rejects.toMatchObject(wrongRole);
    await expect(service.call(methods.listUsers, {})).rejects.toMatchObject(noToken);
  });
});

describe('UpdateUser', () => {
  test('changes the name, or takes it away', async () => {
    const { user, accessToken } = await users.signedIn();
    const rename = (name: string) => service.call(methods.updateUser, { name }, { token: accessToken });
    expect(await rename(' Ada King ')).toEqual({ ...user, name: 'Ada King' });
    expect(await rename('')).toEqual(user);
    await expect(rename('\u0007')).rejects.toMatchObject({ slug: 'invalid-user', ...field('name') });
    await expect(service.call(methods.updateUser, { name: 'x' })).rejects.toMatchObject(noToken);
  });
});

describe('SuspendUser', () => {
  const suspend = (token: string, userId: string, reason = 'fraud') =>
    service.call(methods.suspendUser, { userId, reason }, { token });

  test('suspends a user once, and tells of it without the reason', async () => {
    const [staff, user] = [await users.signedIn('staff'), await users.signUp()];
    const suspended = await suspend(staff.accessToken, user.userId);
    expect(suspended).toEqual({ ...user, suspendedAt: expect.any(Date) });
    expect(await suspend(staff.accessToken, user.userId, 'again')).toEqual(suspended);
    expect(await users.eventsOf(user.userId, 2)).toEqual([
      { type: 'user.created', data: expect.anything() },
      { type: 'user.suspended', data: { userId: user.userId, suspendedAt: suspended.suspendedAt?.toISOString() } },
    ]);
    const { rows } = await backends.database.query('select suspension_reason from users where user_id = $1', [
      user.userId,
    ]);
    expect(rows).toEqual([{ suspension_reason: 'fraud' }]);
  });

  test('is for staff, and not for their own account', async () => {
    const [staff, customer] = [await users.signedIn('staff'), await users.signedIn()];
    await expect(suspend(customer.accessToken, staff.user.userId)).rejects.toMatchObject(wrongRole);
    const own = suspend(staff.accessToken, staff.user.userId.toUpperCase());
    await expect(own).rejects.toMatchObject({ code: 'refused', slug: 'own-account' });
    await expect(service.call(methods.suspendUser, {})).rejects.toMatchObject(noToken);
  });

  test('says what is wrong', async () => {
    const { accessToken } = await users.signedIn('staff');
    await expect(suspend(accessToken, randomUUID())).rejects.toMatchObject(notFound);
    await expect(suspend(accessToken, 'x')).rejects.toMatchObject({ slug: 'invalid-user-id', ...field('user_id') });
    const long = suspend(accessToken, randomUUID(), 'x'.repeat(201));
    await expect(long).rejects.toMatchObject({ slug: 'invalid-reason', ...field('reason') });
  });
});
