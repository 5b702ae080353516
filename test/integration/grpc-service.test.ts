import { connect } from 'node:http2';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { Metadata } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { HealthService } from '../../functions/gen/grpc/health/v1/health.ts';
import { AppError } from '../../functions/runtime/errors.ts';
import { DETAILS_TRAILER, fromStatus } from '../../functions/runtime/grpc/status.ts';
import {
  type Handler,
  method,
  openRawClient,
  openTestClient,
  type RawAnswer,
  type RunningService,
  startService,
  trace,
  user,
} from '../support/grpc-service.ts';
import { until } from '../support/until.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(handler: Handler, options?: Parameters<typeof startService>[1]): Promise<RunningService> {
  const running = await startService(handler, options);
  closers.push(() => running.drain());
  return running;
}
function raw(address: string) {
  const client = openRawClient(address);
  closers.push(() => client.close());
  return client;
}
function open(address: string) {
  const client = openTestClient(address);
  closers.push(() => client.close());
  return client;
}

const GetUser = method.path;
const asked = method.requestSerialize({ userId: 'ada' });
const soon = (): number => Date.now() + 10_000;
const slugOf = (answer: RawAnswer): string => fromStatus('raw', Object.assign(new Error(answer.details), answer)).slug;
/** A promise, and what ends it. */
const gate = () => Promise.withResolvers<void>();

test('an error of a handler arrives as it was thrown', async () => {
  const fields = [{ field: 'user_id', message: 'is not a UUID' }];
  const { address } = await start(() => {
    throw new AppError('exhausted', 'too-many-things', 'Too many', { fields, retryAfterMs: 2_500 });
  });
  await expect(open(address).call(method, { userId: '' }, { trace })).rejects.toMatchObject({
    code: 'exhausted',
    slug: 'too-many-things',
    message: 'Too many',
    fields,
    retryAfterMs: 2_500,
  });
});

test('an error that nobody meant tells the caller nothing, and the log all', async () => {
  const { address, lines } = await start(() => {
    throw new TypeError('secret is not a function');
  });
  const answer = await raw(address).call(GetUser, asked, { deadline: soon() });
  expect(answer).toMatchObject({ code: 13, details: 'internal error' });
  expect(`${answer.metadata.get(DETAILS_TRAILER)}`).not.toContain('secret');
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 'error',
      fields: expect.objectContaining({ stack: expect.stringContaining('secret') }),
    }),
  );
});

test('a call without a deadline is refused; a health check is not', async () => {
  const { address } = await start(user);
  const client = raw(address);
  const answer = await client.call(GetUser, asked);
  expect([answer.code, slugOf(answer)]).toEqual([3, 'deadline-required']);
  expect((await client.call(HealthService.check.path, new Uint8Array())).code).toBe(0);
});

test('a handler knows the deadline, and is told when it has passed', async () => {
  const seen = Promise.withResolvers<{ deadline: Date; reason: unknown }>();
  const { address } = await start(async (userId, { deadline, signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    seen.resolve({ deadline, reason: signal.reason });
    return user(userId);
  });
  const deadline = Date.now() + 300;
  expect((await raw(address).call(GetUser, asked, { deadline })).code).toBe(4);
  const { deadline: known, reason } = await seen.promise;
  expect(Math.abs(known.getTime() - deadline)).toBeLessThan(200);
  expect(reason).toMatchObject({ code: 'unavailable', slug: 'call-abandoned' });
});

test('a handler is told when the caller has gone, and that it stopped is no failure', async () => {
  const begun = gate();
  const { address, lines } = await start(async (userId, { signal }) => {
    begun.resolve();
    await new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new DOMException('This operation was aborted', 'AbortError'))),
    );
    return user(userId);
  });
  const cancel = new AbortController();
  const answer = raw(address).call(GetUser, asked, { deadline: soon(), signal: cancel.signal });
  await begun.promise;
  cancel.abort();
  expect((await answer).code).toBe(1);
  const line = await until('a line in the log', () => lines.find(({ message }) => message === 'call failed'));
  expect(line).toMatchObject({ level: 'warn', fields: { error: 'call-abandoned' } });
});

test('the signal of a call that was answered stays quiet', async () => {
  const signals: AbortSignal[] = [];
  const { address } = await start((userId, { signal }) => {
    signals.push(signal);
    return user(userId);
  });
  const client = open(address);
  for (let calls = 0; calls < 3; calls += 1) await client.call(method, { userId: 'ada' }, { trace });
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
});

test('a call whose caller has gone before it was read is not worked on', async () => {
  let worked = 0;
  const { address } = await start((userId) => {
    worked += 1;
    return user(userId);
  });
  const [, port] = address.split(':');
  const held: Buffer[] = [];
  let holding = false;
  let toService: Socket | undefined;
  const proxy = createServer((socket) => {
    toService = connectTcp(Number(port), '127.0.0.1');
    toService.pipe(socket);
    socket.on('data', (bytes) => (holding ? void held.push(bytes) : toService?.write(bytes)));
    socket.on('error', () => undefined).on('close', () => toService?.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise<void>((resolve) => proxy.close(() => resolve())));
  const session = connect(`http://127.0.0.1:${Object(proxy.address()).port}`);
  closers.push(() => session.destroy());
  const call = () => {
    const headers = { ':path': GetUser, ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request({ ...headers, 'grpc-timeout': '5S' });
    const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, asked.length]), asked]);
    stream
      .on('error', () => undefined)
      .resume()
      .end(frame);
    return stream;
  };
  const first = call();
  await new Promise((resolve) => first.once('close', resolve));
  expect(worked).toBe(1);

  holding = true;
  const second = call();
  await until('the call to be sent', () => held.length > 0);
  second.close(8);
  await until('its end to be sent', () => Buffer.concat(held).includes(Buffer.from([0, 0, 4, 3, 0])));
  holding = false;
  toService?.write(Buffer.concat(held));
  const third = call();
  await new Promise((resolve) => third.once('close', resolve));
  expect(worked).toBe(2);
});

test('a call too many is refused with a time to wait; a health check is not', async () => {
  const end = gate();
  const { address } = await start(
    async (userId) => {
      await end.promise;
      return user(userId);
    },
    { maxCalls: 3 },
  );
  const client = raw(address);
  const answers = Array.from({ length: 5 }, () => client.call(GetUser, asked, { deadline: soon() }));
  const refused = await Promise.any(answers);
  expect(fromStatus('raw', Object.assign(new Error(), refused))).toMatchObject({
    code: 'exhausted',
    slug: 'too-many-calls',
    retryAfterMs: 1_000,
  });
  expect((await client.call(HealthService.check.path, new Uint8Array())).code).toBe(0);
  end.resolve();
  const codes = (await Promise.all(answers)).map(({ code }) => code);
  expect(codes.sort()).toEqual([0, 0, 0, 8, 8]);
  expect((await client.call(GetUser, asked, { deadline: soon() })).code).toBe(0);
});

test('one connection has at most 128 calls in work, and the next wait for their turn', async () => {
  const end = gate();
  let inWork = 0;
  let most = 0;
  const { address } = await start(async (userId) => {
    inWork += 1;
    most = Math.max(most, inWork);
    await end.promise;
    inWork -= 1;
    return user(userId);
  });
  const client = raw(address);
  expect((await client.call(HealthService.check.path, new Uint8Array())).code).toBe(0);
  const answers = Array.from({ length: 200 }, () => client.call(GetUser, asked, { deadline: soon() }));
  await until('128 calls in work', () => inWork >= 128);
  end.resolve();
  expect(new Set((await Promise.all(answers)).map(({ code }) => code))).toEqual(new Set([0]));
  expect(most).toBe(128);
});

test.each([
  ['long text', 'x-long', 'x'.repeat(9_000)],
  ['many bytes', 'x-long-bin', Buffer.alloc(9_000, 1)],
])('metadata over 8 KiB, of %s, is refused', async (_what, key, value) => {
  const { address } = await start(user);
  const metadata = new Metadata();
  metadata.set(key, value);
  const answer = await raw(address).call(GetUser, asked, { deadline: soon(), metadata });
  expect([answer.code, slugOf(answer)]).toEqual([3, 'metadata-too-large']);
});

test('a message that is none is the fault of who sent it', async () => {
  const { address } = await start(user);
  const answer = await raw(address).call(GetUser, Uint8Array.of(10, 255, 255, 255, 15), { deadline: soon() });
  expect([answer.code, slugOf(answer)]).toEqual([3, 'malformed-message']);
});

test('a drain answers the calls in work, and then no more', async () => {
  const begun = gate();
  const end = gate();
  const running = await startService(async (userId) => {
    begun.resolve();
    await end.promise;
    return user(userId);
  });
  const client = raw(running.address);
  const inWork = client.call(GetUser, asked, { deadline: soon() });
  await begun.promise;
  const drained = running.drain();
  await until('new calls to be refused', async () => {
    const late = raw(running.address);
    return (await late.call(GetUser, asked, { deadline: Date.now() + 100 })).code === 14;
  });
  end.resolve();
  expect((await inWork).code).toBe(0);
  await drained;
});

test('a drain cuts off the calls that do not end, and tells their handlers', async () => {
  const begun = gate();
  const running = await startService(
    async (userId, { signal }) => {
      begun.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return user(userId);
    },
    { settings: { DRAIN_SECONDS: '1' } },
  );
  const endless = raw(running.address).call(GetUser, asked, { deadline: soon() });
  await begun.promise;
  await running.drain();
  expect([1, 14]).toContain((await endless).code);
});
