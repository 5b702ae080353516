import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  HealthCheckResponse_ServingStatus as Health,
  HealthService,
} from '../../functions/gen/grpc/health/v1/health.ts';
import { UserServiceService } from '../../functions/gen/millrace/users/v1/users.ts';
import { continueTrace } from '../../functions/runtime/trace.ts';
import { userEvents } from '../../functions/users/events.ts';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { until } from '../support/until.ts';
import {
  newSigningKey,
  openClient,
  startUserService,
  type UserServiceFixture,
} from '../support/user-service-fixture.ts';

let backends: Backends;
let service: UserServiceFixture;

beforeAll(async () => {
  backends = await startBackends();
  service = await startUserService(backends);
});

afterAll(async () => {
  await service?.stop();
  await backends?.stop();
});

const trace = continueTrace(undefined);
const password = 'correct horse battery';
const newEmail = (): string => `Ada.${randomBytes(6).toString('hex')}@Example.com`;
const create = (email = newEmail()) => service.client.createUser({ email, password }, trace);

const eventsOf = async (userId: string) =>
  (await backends.messages('USERS')).filter(({ subject }) => subject.startsWith(`user.${userId}.`));
const outboxOf = async (userId: string) =>
  (await backends.database.query('select * from outbox where subject like $1', [`user.${userId}.%`])).rows;

describe('CreateUser', () => {
  test('creates a customer and keeps only a hash of the password', async () => {
    const email = newEmail();
    const user = await create(`  ${email} `);
    expect(user).toEqual({
      userId: expect.any(String),
      email,
      role: 'customer',
      createdAt: expect.any(String),
      name: '',
      emailVerifiedAt: null,
      suspendedAt: null,
    });
    expect(Date.now() - Date.parse(user.createdAt)).toBeLessThan(60_000);
    const { rows } = await backends.database.query('select * from users where user_id = $1', [user.userId]);
    expect(rows).toMatchObject([{ email, role: 'customer', password_hash: expect.stringMatching(/^\$argon2id\$/) }]);
  });

  test('publishes user.created once, without personal data and in the trace of the call', async () => {
    const { userId, email, createdAt } = await create();
    const event = await until('user.created', async () => (await eventsOf(userId))[0]);
    await until('an empty outbox', async () => (await outboxOf(userId)).length === 0);
    expect(await eventsOf(userId)).toHaveLength(1);
    expect(event.subject).toBe(`user.${userId}.created`);
    const data = JSON.parse(event.data);
    expect(data).toEqual({ userId, createdAt });
    expect(userEvents['user.created'].safeParse(data).success).toBe(true);
    expect(event.headers).toContain('ce-type: user.created');
    expect(event.headers).toContain(`traceparent: 00-${trace.traceId}-`);
    expect(`${event.headers}${event.data}`).not.toContain(email);
  });

  const tooLong = `${'a'.repeat(250)}@b.cd`;
  test.each([
    ['an e-mail without @', { email: 'ada.example.com', password }, ['email']],
    ['an e-mail with a NUL', { email: 'ada\0@example.com', password }, ['email']],
    ['an e-mail of 255 characters', { email: tooLong, password }, ['email']],
    ['a password of 9 characters', { email: 'ada@example.com', password: 'ninechars' }, ['password']],
    ['a password of 129 characters', { email: 'ada@example.com', password: 'x'.repeat(129) }, ['password']],
    ['nothing', { email: '', password: '' }, ['email', 'password']],
  ])('refuses %s and names the field', async (_, request, fields) => {
    const error = await service.client.createUser(request, trace).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'invalid', slug: 'invalid-user' });
    expect([...new Set(error.fields.map(({ field }: { field: string }) => field))]).toEqual(fields);
    if (request.password) expect(error.message).not.toContain(request.password);
  });

  test('refuses an e-mail that is taken, in whatever case, and announces nobody', async () => {
    const { email, userId } = await create();
    await until('an empty outbox', async () => (await outboxOf(userId)).length === 0);
    const before = (await backends.messages('USERS')).length;
    const error = await create(email.toUpperCase()).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'refused', slug: 'email-taken' });
    expect(error.fields).toMatchObject([{ field: 'email' }]);
    expect(error.message).not.toMatch(new RegExp(email, 'i'));
    expect((await backends.database.query('select * from outbox')).rows).toEqual([]);
    expect((await backends.messages('USERS')).length).toBe(before);
  });

  test('creates one user for one e-mail, however many ask at once', async () => {
    const email = newEmail();
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => create(email)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ slug: 'email-taken' });
    const { rows } = await backends.database.query('select user_id from users where email = $1', [email]);
    expect(rows).toHaveLength(1);
  });
});

describe('Authenticate', () => {
  test('gives a token that says who the user is, until it expires', async () => {
    const user = await create();
    const signedIn = await service.client.authenticate({ email: user.email.toLowerCase(), password }, trace);
    expect(signedIn).toMatchObject({ accessToken: expect.any(String), expiresInSeconds: 600, user });
    const identity = await service.client.validateToken(signedIn, trace);
    expect(identity).toMatchObject({ userId: user.userId, role: 'customer' });
    expect(Math.abs(Date.parse(identity.expiresAt) - Date.now() - 600_000)).toBeLessThan(10_000);
  });

  test('gives staff a token of staff', async () => {
    const user = await create();
    await backends.database.query(`update users set role = 'staff' where user_id = $1`, [user.userId]);
    const signedIn = await service.client.authenticate({ email: user.email, password }, trace);
    expect(signedIn.user.role).toBe('staff');
    expect(await service.client.validateToken(signedIn, trace)).toMatchObject({ role: 'staff' });
  });

  test('answers the same to a wrong password, an unknown e-mail and no e-mail at all, after the same work', async () => {
    const { email } = await create();
    const attempt = async (credentials: { email: string; password: string }) => {
      const started = performance.now();
      const error = await service.client.authenticate(credentials, trace).catch((thrown) => thrown);
      const { code, slug, message, fields } = error;
      return { answer: { code, slug, message, fields }, tookMs: performance.now() - started };
    };
    const wrongs = [
      { email, password: 'wrong horse battery' },
      ...[newEmail(), 'no e-mail\0', ''].map((unknown) => ({ email: unknown, password })),
    ];
    const fastestMs = wrongs.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < 8; round += 1) {
      for (const [index, credentials] of wrongs.entries()) {
        const { answer, tookMs } = await attempt(credentials);
        expect(answer).toEqual({
          code: 'unauthenticated',
          slug: 'wrong-credentials',
          message: 'The e-mail or the password is wrong',
          fields: [],
        });
        fastestMs[index] = Math.min(fastestMs[index] ?? 0, tookMs);
      }
    }
    const [known = 0, ...unknown] = fastestMs;
    for (const each of unknown) expect(each).toBeGreaterThan(known / 2);
  });

  test('turns away who comes when too many passwords are being checked, and says when to come back', async () => {
    // One client alone would hold so many back.
    const clients = Array.from({ length: 3 }, () => openClient(service.address));
    const attempts = Array.from({ length: 150 }, (_, index) => {
      const { client } = clients[index % clients.length] ?? service;
      return client.createUser({ email: newEmail(), password }, trace).catch((thrown) => thrown);
    });
    const errors = await Promise.all(attempts);
    for (const { close } of clients) await close();
    const slugs = new Set(errors.map(({ slug }) => slug));
    expect(slugs).toEqual(new Set([undefined, 'too-many-passwords']));
    const turnedAway = errors.find(({ slug }) => slug === 'too-many-passwords');
    expect(turnedAway).toMatchObject({ code: 'exhausted', retryAfterMs: 1_000 });
  });
});

describe('GetUser', () => {
  test('finds a user', async () => {
    const user = await create();
    expect(await service.client.getUser(user, trace)).toEqual(user);
  });

  test('does not find nobody', async () => {
    const userId = randomUUID();
    const answer = service.client.getUser({ userId }, trace);
    await expect(answer).rejects.toMatchObject({ code: 'not-found', slug: 'user-not-found' });
  });

  test.each(['', '42', "' or true --"])('refuses the id «%s»', async (userId) => {
    const error = {
      code: 'invalid',
      slug: 'invalid-user-id',
      fields: [{ field: 'user_id', message: 'is not a UUID' }],
    };
    await expect(service.client.getUser({ userId }, trace)).rejects.toMatchObject(error);
  });
});

test.each(['', 'no.token.here', 'x'.repeat(5_000)])('ValidateToken refuses what is no token', async (accessToken) => {
  const error = { code: 'unauthenticated', slug: 'invalid-token' };
  await expect(service.client.validateToken({ accessToken }, trace)).rejects.toMatchObject(error);
});

describe('whatever is sent', () => {
  const paths = Object.values(UserServiceService).map(({ path }) => path);

  test('malformed bytes are the fault of who sent them', async () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constant(Uint8Array.of(10, 255, 255, 255, 255, 15)));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), bytes, async (path, message) => {
        // UNKNOWN, INTERNAL, UNAVAILABLE would be a fault of the service.
        expect([2, 13, 14]).not.toContain(await service.rawStatus(path, message));
      }),
      { numRuns: 200 },
    );
  });

  test('a message over 64 KiB is refused on either side', async () => {
    expect(await service.rawStatus(UserServiceService.getUser.path, Buffer.alloc(64 * 1024 + 1))).toBe(8);
    const huge = service.client.authenticate({ email: 'x'.repeat(64 * 1024), password }, trace);
    await expect(huge).rejects.toMatchObject({ code: 'invalid', slug: 'message-too-large' });
  });

  test('an unknown method is unimplemented', async () => {
    expect(await service.rawStatus('/millrace.users.v1.UserService/DeleteUser', Buffer.alloc(0))).toBe(12);
  });

  test('no e-mail, password or token gets into the log', async () => {
    const { email } = await create();
    await create(email).catch(() => undefined);
    const { accessToken } = await service.client.authenticate({ email, password }, trace);
    await service.client.validateToken({ accessToken: `${accessToken}x` }, trace).catch(() => undefined);
    const log = service.process.lines.join('\n');
    expect(log).toContain('serving gRPC');
    for (const secret of ['@example.com', email.slice(0, 12), password, 'horse', accessToken.slice(-40)])
      expect(log.toLowerCase()).not.toContain(secret.toLowerCase());
  });
});

describe('health', () => {
  test.each(['', 'readiness', 'liveness'])('of «%s» is serving', async (name) => {
    expect(await service.rawCall(HealthService.check, { service: name })).toEqual({ status: Health.SERVING });
  });

  test('of anything else is not found', async () => {
    for (const name of ['else', 'toString', '__proto__'])
      await expect(service.rawCall(HealthService.check, { service: name })).rejects.toMatchObject({ code: 5 });
  });

  test('cannot be watched', async () => {
    expect(await service.rawStatus(HealthService.watch.path, Buffer.alloc(0))).toBe(12);
  });
});

describe('without NATS', () => {
  test('it starts, creates users, and leaves their events in the outbox for the relay', async () => {
    const nowhere = `nats://127.0.0.1:${await freePort()}`;
    const alone = await startUserService(backends, { env: { NATS_URL: nowhere } });
    const { userId } = await alone.client.createUser({ email: newEmail(), password }, trace);
    expect(await outboxOf(userId)).toMatchObject([{ subject: `user.${userId}.created` }]);
    await until('a warning', () => alone.process.lines.some((line) => line.includes('stays in the outbox')));
    await alone.stop();
    await backends.database.query('delete from outbox');
  });
});

describe('without Postgres', () => {
  test('it is alive but not ready, and says that it is unavailable', async () => {
    const nowhere = `postgres://postgres@127.0.0.1:${await freePort()}/postgres`;
    const alone = await startUserService(backends, { env: { DATABASE_URL: nowhere }, whenReady: false });
    const healthOf = async (name: string) => (await alone.rawCall(HealthService.check, { service: name })).status;
    expect(await healthOf('liveness')).toBe(Health.SERVING);
    expect(await healthOf('readiness')).toBe(Health.NOT_SERVING);
    expect((await fetch(`${alone.process.url}/readyz`)).status).toBe(503);
    const answer = alone.client.getUser({ userId: randomUUID() }, trace);
    await expect(answer).rejects.toMatchObject({ code: 'unavailable', slug: 'database-unavailable' });
    await alone.stop();
  });
});

describe('on SIGTERM', () => {
  test('it ends the calls that it has, without waiting for NATS, and then publishes what they have to announce', async () => {
    const leaving = await startUserService(backends);
    const createOne = () => leaving.client.createUser({ email: newEmail(), password }, trace);
    await backends.signalNats('SIGSTOP');
    const first = await createOne();
    const others = Array.from({ length: 8 }, createOne);
    await Promise.race(others);
    const stopped = leaving.stop();
    const users = [first, ...(await Promise.all(others))];
    await backends.signalNats('SIGCONT');
    await stopped;
    for (const { userId } of users) {
      expect(await eventsOf(userId)).toHaveLength(1);
      expect(await outboxOf(userId)).toEqual([]);
    }
  });
});

describe('with a signing key that is none', () => {
  test('it does not start, and says why without showing the key', async () => {
    const { d, ...publicKey } = JSON.parse(newSigningKey());
    const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-key-'));
    const file = path.join(folder, 'key.json');
    await writeFile(file, JSON.stringify({ ...publicKey, secret: d }));
    const env = {
      PORT: '0',
      GRPC_PORT: '0',
      SIGNING_KEY_FILE: file,
      DATABASE_URL: backends.databaseUrl,
      NATS_URL: backends.natsUrl,
    };
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [path.join(repository, 'dist/user-service/index.cjs')],
      {
        env,
        encoding: 'utf8',
      },
    );
    expect(status).toBe(1);
    expect(stdout + stderr).toContain('SIGNING_KEY_FILE does not hold a private Ed25519 key');
    expect(stdout + stderr).not.toContain(d);
    await rm(folder, { recursive: true });
  });
});

describe('a client', () => {
  test('of a service that is not there fails as unavailable', async () => {
    const { client, close } = openClient(`127.0.0.1:${await freePort()}`);
    const answer = client.getUser({ userId: randomUUID() }, trace);
    await expect(answer).rejects.toMatchObject({ code: 'unavailable', slug: 'users-unavailable' });
    await close();
  });

  test('of a service that never answers gives up after two seconds', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
    const port = await new Promise((resolve) =>
      silent.listen(0, '127.0.0.1', () => resolve(Object(silent.address()).port)),
    );
    const { client, close } = openClient(`127.0.0.1:${port}`);
    const started = performance.now();
    const answer = client.getUser({ userId: randomUUID() }, trace);
    await expect(answer).rejects.toMatchObject({ code: 'unavailable', slug: 'users-unavailable' });
    expect(performance.now() - started).toBeGreaterThan(1_900);
    await close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });
});
