import { afterEach, expect, test } from 'vitest';
import { AppError, unavailable } from '../../functions/runtime/errors.ts';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { type Handler, method, openTestClient, startService, trace, user } from '../support/grpc-service.ts';
import { until } from '../support/until.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Service = Awaited<ReturnType<typeof startService>>;
async function start(handler: Handler, port?: string): Promise<Service> {
  const running = await startService(handler, port === undefined ? {} : { port });
  closers.push(() => running.drain());
  return running;
}
function open(address: string, name?: string) {
  const client = openTestClient(address, name === undefined ? {} : { name });
  closers.push(() => client.close());
  const get = (options = {}) => client.call(method, { userId: 'ada' }, { trace, ...options });
  return { ...client, get };
}

test('a call tells its trace, its function, on whose behalf it is, and where that one is', async () => {
  const calls: Record<string, string>[] = [];
  const { address } = await start((userId, { metadata }) => {
    calls.push(metadata);
    return user(userId);
  });
  const { get } = open(address, 'some-api');
  await get({ accessToken: 'a.b.c', clientAddress: '2001:db8::1' });
  await get();
  expect(calls[0]).toMatchObject({
    traceparent: trace.traceparent,
    'millrace-function': 'some-api',
    authorization: 'Bearer a.b.c',
    'millrace-client-address': '2001:db8::1',
  });
  expect(Object.keys(calls[1] ?? {})).not.toContain('authorization');
  expect(Object.keys(calls[1] ?? {})).not.toContain('millrace-client-address');
});

test.each(['a b', 'a\nb', 'ä'])('a token that cannot be one (%j) is not sent', async (accessToken) => {
  const { get } = open('127.0.0.1:1');
  await expect(get({ accessToken })).rejects.toMatchObject({ code: 'unauthenticated', slug: 'invalid-token' });
});

test('what is no address is not told as one', async () => {
  const { address } = await start((userId, { metadata }) => ({
    ...user(userId),
    name: metadata['millrace-client-address'] ?? 'none',
  }));
  expect(await open(address).get({ clientAddress: 'not\nan address' })).toMatchObject({ name: 'none' });
});

test('an unavailable service is asked again', async () => {
  let calls = 0;
  const { address } = await start((userId) => {
    calls += 1;
    if (calls < 3) throw unavailable('database-unavailable', 'Postgres is away');
    return user(userId);
  });
  expect(await open(address).get()).toEqual(user('ada'));
});

test.each([
  ['a call that must not happen twice', { idempotent: false }, unavailable('database-unavailable', 'It is away')],
  ['a call that was refused', {}, new AppError('exhausted', 'too-many-calls', 'Too many', { retryAfterMs: 1 })],
  ['a call that failed inside', {}, new AppError('internal', 'internal', 'Oh')],
])('%s is made once', async (_what, options, error) => {
  let calls = 0;
  const { address } = await start(() => {
    calls += 1;
    throw error;
  });
  await expect(open(address).get(options)).rejects.toMatchObject({ code: error.code });
  expect(calls).toBe(1);
});

test('a service that comes back is found again', async () => {
  const port = String(await freePort());
  const first = await startService(user, { port });
  const { get } = open(first.address);
  await get();
  await first.drain();
  await expect(get()).rejects.toMatchObject({ code: 'unavailable', slug: 'users-unavailable' });
  await start(user, port);
  expect(await until('an answer', () => get())).toEqual(user('ada'));
});

test('no answer within the deadline is unavailable, whatever the service does', async () => {
  const end = Promise.withResolvers<never>();
  const { address } = await start(() => end.promise);
  closers.push(() => end.reject(new Error('the end')));
  const { get } = open(address);
  await expect(get({ deadlineMs: 100 })).rejects.toMatchObject({ code: 'unavailable', slug: 'users-unavailable' });
});

test('the deadline of the caller is that of the service', async () => {
  const seen: number[] = [];
  const { address } = await start((userId, { deadline }) => {
    seen.push(deadline.getTime() - Date.now());
    return user(userId);
  });
  await open(address).get({ deadlineMs: 60_000 });
  expect(seen[0]).toBeGreaterThan(50_000);
  expect(seen[0]).toBeLessThanOrEqual(60_000);
});

test('a service that fails on and on is left alone for a while', async () => {
  let calls = 0;
  const { address } = await start(() => {
    calls += 1;
    throw unavailable('database-unavailable', 'Postgres is away');
  });
  const { get, lines } = open(address);
  for (let failures = 0; failures < 5; failures += 1) await get({ idempotent: false }).catch(() => undefined);
  const error = await get().catch((thrown) => thrown);
  expect(error).toMatchObject({ code: 'unavailable', slug: 'users-unavailable' });
  expect(error.retryAfterMs).toBeGreaterThan(1_000);
  expect(calls).toBe(5);
  expect(lines).toMatchObject([{ level: 'error', fields: { target: 'users' } }]);
});

test('a service that refuses on and on is asked on and on', async () => {
  let calls = 0;
  const { address } = await start(() => {
    calls += 1;
    throw new AppError('unauthenticated', 'wrong-credentials', 'Wrong');
  });
  const { get } = open(address);
  for (let failures = 0; failures < 20; failures += 1)
    await expect(get()).rejects.toMatchObject({ slug: 'wrong-credentials' });
  expect(calls).toBe(20);
});

test('at most 64 calls are in work and 64 wait', async () => {
  const end = Promise.withResolvers<void>();
  let inWork = 0;
  let most = 0;
  const { address } = await start(async (userId) => {
    inWork += 1;
    most = Math.max(most, inWork);
    await end.promise;
    inWork -= 1;
    return user(userId);
  });
  const { get } = open(address);
  const calls = Array.from({ length: 130 }, () => get({ deadlineMs: 10_000 }).catch((error) => error.slug));
  await until('64 calls in work', () => inWork === 64);
  end.resolve();
  const answers = await Promise.all(calls);
  expect(answers.filter((answer) => answer === 'users-overloaded')).toHaveLength(2);
  expect(answers.filter((answer) => answer.userId === 'ada')).toHaveLength(128);
  expect(most).toBe(64);
});

test('a message over 64 KiB is not sent', async () => {
  const { call } = open('127.0.0.1:1');
  const huge = call(method, { userId: 'x'.repeat(64 * 1024) }, { trace });
  await expect(huge).rejects.toMatchObject({ code: 'invalid', slug: 'message-too-large' });
});
