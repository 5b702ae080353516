import { expect, test } from 'vitest';
import { turns } from './turns.ts';

/** Work that ends when told to. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const state = { started: false };
  const run = (): Promise<string> => {
    state.started = true;
    return promise;
  };
  return { state, run, resolve, reject };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('so much work runs at once, and what waits starts in its order', async () => {
  const inTurn = turns({ atOnce: 2, waiting: 2 });
  const [a, b, c, d] = [work(), work(), work(), work()];
  const results = Promise.all([inTurn(a.run), inTurn(b.run), inTurn(c.run), inTurn(d.run)]);
  await settle();
  expect([a, b, c, d].map(({ state }) => state.started)).toEqual([true, true, false, false]);
  b.resolve('b');
  await settle();
  expect([c, d].map(({ state }) => state.started)).toEqual([true, false]);
  for (const each of [a, c, d]) each.resolve('done');
  expect(await results).toEqual(['done', 'b', 'done', 'done']);
});

test('work over the limit is exhausted at once and says when to come back', async () => {
  const inTurn = turns({ atOnce: 1, waiting: 1 });
  const [a, b, c] = [work(), work(), work()];
  const taken = Promise.all([inTurn(a.run), inTurn(b.run)]);
  await expect(inTurn(c.run)).rejects.toMatchObject({ code: 'exhausted', retryAfterMs: 1_000 });
  expect(c.state.started).toBe(false);
  a.resolve('a');
  b.resolve('b');
  expect(await taken).toEqual(['a', 'b']);
});

test('work that fails gives its turn back', async () => {
  const inTurn = turns({ atOnce: 1, waiting: 0 });
  const failing = work();
  const failed = inTurn(failing.run);
  failing.reject(new Error('broken'));
  await expect(failed).rejects.toThrow('broken');
  expect(await inTurn(async () => 'next')).toBe('next');
  expect(await inTurn(async () => 'and again')).toBe('and again');
});
