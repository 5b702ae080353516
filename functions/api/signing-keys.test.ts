import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { unavailable } from '../runtime/errors.ts';
import { openLog } from '../runtime/log.ts';
import { continueTrace } from '../runtime/trace.ts';
import { openSigningKeys } from './signing-keys.ts';

const trace = continueTrace(undefined);

/** A user-service that has the keys named, and counts how often it is asked. */
function usersWith(...names: string[]) {
  const service = {
    names,
    calls: 0,
    down: false,
    async getSigningKeys() {
      service.calls += 1;
      await Promise.resolve();
      if (service.down) throw unavailable('users-unavailable', 'down');
      return setOf(...service.names);
    },
  };
  return service;
}

/** A JWK set in JSON with a key of each name. */
function setOf(...names: string[]): string {
  const newKey = () => generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  return JSON.stringify({ keys: names.map((kid) => ({ ...newKey(), kid })) });
}

const closers: (() => Promise<void> | void)[] = [];
const open = (service: ReturnType<typeof usersWith>, kept: () => Promise<string | undefined> = async () => undefined) =>
  openSigningKeys({ log: openLog('test', 'silent'), onClose: (close) => closers.push(close) }, service, kept);

beforeEach(() => vi.useFakeTimers());
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  vi.useRealTimers();
});

const kids = (keys: readonly { kid: string }[]): string[] => keys.map(({ kid }) => kid);

test('keys are asked for once, at the first need, however many need them at once', async () => {
  const service = usersWith('a');
  const keys = open(service);
  expect(service.calls).toBe(0);
  const found = await Promise.all(Array.from({ length: 20 }, () => keys.including('a', trace)));
  expect(found.map(kids)).toEqual(Array(20).fill(['a']));
  await keys.all(trace);
  expect(service.calls).toBe(1);
});

test('they are asked for again every minute, so that a key that is withdrawn is good no more', async () => {
  const service = usersWith('a');
  const keys = open(service);
  await keys.including('a', trace);
  service.names = ['b'];
  await vi.advanceTimersByTimeAsync(60_000);
  await vi.waitFor(async () => expect(kids(await keys.including('b', trace))).toEqual(['b']));
  expect(service.calls).toBe(2);
});

test('who is shown the keys sees none that were withdrawn more than ten seconds ago', async () => {
  const service = usersWith('a');
  const keys = open(service);
  await keys.all(trace);
  service.names = ['b'];
  await vi.advanceTimersByTimeAsync(10_000);
  expect(kids(await keys.all(trace))).toEqual(['a']);
  expect(service.calls).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  const shown = await Promise.all(Array.from({ length: 20 }, () => keys.all(trace)));
  expect(shown.map(kids)).toEqual(Array(20).fill(['b']));
  expect(service.calls).toBe(2);
});

test('a key that is not known is asked for, and is none when it is not among those that come', async () => {
  const service = usersWith('a');
  const keys = open(service);
  await keys.all(trace);
  await vi.advanceTimersByTimeAsync(1_000);
  service.names = ['a', 'b'];
  expect(kids(await keys.including('b', trace))).toEqual(['a', 'b']);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(kids(await keys.including('made up', trace))).toEqual(['a', 'b']);
  expect(service.calls).toBe(3);
});

test('made up keys ask no more than once a second, and do not make a fresh key one that is none', async () => {
  const service = usersWith('a');
  const keys = open(service);
  await keys.all(trace);
  await vi.advanceTimersByTimeAsync(1_000);
  await Promise.all(Array.from({ length: 50 }, (_, index) => keys.including(`made up ${index}`, trace)));
  expect(service.calls).toBe(2);
  await vi.advanceTimersByTimeAsync(400);
  service.names = ['a', 'b'];
  for (const kid of ['b', 'made up'])
    await expect(keys.including(kid, trace)).rejects.toMatchObject({
      code: 'unavailable',
      slug: 'no-signing-keys',
      retryAfterMs: 600,
    });
  expect(service.calls).toBe(2);
  await vi.advanceTimersByTimeAsync(600);
  expect(kids(await keys.including('b', trace))).toEqual(['a', 'b']);
  expect(service.calls).toBe(3);
});

test('a known key waits for nobody, and who never verified a token never asks', async () => {
  const [service, unused] = [usersWith('a'), usersWith('a')];
  const keys = open(service);
  open(unused);
  await keys.including('a', trace);
  await vi.advanceTimersByTimeAsync(59_000);
  await keys.including('a', trace);
  expect(service.calls).toBe(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([service.calls, unused.calls]).toEqual([2, 0]);
});

test('while user-service is down, the keys at hand stay good, however long', async () => {
  const service = usersWith('a');
  const keys = open(service);
  await keys.all(trace);
  service.down = true;
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(kids(await keys.including('a', trace))).toEqual(['a']);
  expect(kids(await keys.all(trace))).toEqual(['a']);
});

test('while user-service is down, nobody can say that an unknown key is none', async () => {
  const service = usersWith('a');
  const keys = open(service);
  await keys.all(trace);
  service.down = true;
  await vi.advanceTimersByTimeAsync(10_000);
  await expect(keys.including('b', trace)).rejects.toMatchObject({ code: 'unavailable', slug: 'no-signing-keys' });
});

test('without any keys it is unavailable, and tried again a second later', async () => {
  const service = usersWith('a');
  service.down = true;
  const keys = open(service);
  const unavailableNow = { code: 'unavailable', slug: 'no-signing-keys' };
  await expect(keys.including('a', trace)).rejects.toMatchObject(unavailableNow);
  service.down = false;
  await expect(keys.all(trace)).rejects.toMatchObject(unavailableNow);
  expect(service.calls).toBe(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(kids(await keys.including('a', trace))).toEqual(['a']);
});

test('an answer without keys does not take the place of those at hand', async () => {
  const service = usersWith('a');
  const keys = open(service);
  await keys.all(trace);
  service.names = [];
  await vi.advanceTimersByTimeAsync(60_000);
  expect(kids(await keys.all(trace))).toEqual(['a']);
});

test('while user-service is down, who has no keys takes those that it kept', async () => {
  const service = usersWith('a');
  service.down = true;
  const keys = open(service, async () => setOf('a'));
  expect(kids(await keys.including('a', trace))).toEqual(['a']);
  expect(kids(await keys.all(trace))).toEqual(['a']);
});

test('what was kept is not looked at while user-service answers', async () => {
  const keys = open(usersWith('a'), async () => setOf('old'));
  expect(kids(await keys.including('a', trace))).toEqual(['a']);
});

test('a key that is not among those kept may be one, as long as user-service cannot be asked', async () => {
  const service = usersWith('a');
  service.down = true;
  const keys = open(service, async () => setOf('a'));
  await expect(keys.including('b', trace)).rejects.toMatchObject({ code: 'unavailable', slug: 'no-signing-keys' });
});

test.each<[string, () => Promise<string | undefined>]>([
  ['fails', () => Promise.reject(new Error('Connection terminated'))],
  ['has none', async () => undefined],
  ['has an empty set', async () => setOf()],
])('while user-service is down and Postgres %s, the keys at hand stay good', async (_, kept) => {
  const service = usersWith('a');
  const keys = open(service, kept);
  await keys.all(trace);
  service.down = true;
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(kids(await keys.including('a', trace))).toEqual(['a']);
});
