import { expect, test } from 'vitest';
import { turns } from './turns.ts';

const somebody = { network: undefined, signal: new AbortController().signal };

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
  const inTurn = turns({ atOnce: 2, waiting: 2, ofNetwork: 2 });
  const [a, b, c, d] = [work(), work(), work(), work()];
  const results = Promise.all([
    inTurn(a.run, somebody),
    inTurn(b.run, somebody),
    inTurn(c.run, somebody),
    inTurn(d.run, somebody),
  ]);
  await settle();
  expect([a, b, c, d].map(({ state }) => state.started)).toEqual([true, true, false, false]);
  b.resolve('b');
  await settle();
  expect([c, d].map(({ state }) => state.started)).toEqual([true, false]);
  for (const each of [a, c, d]) each.resolve('done');
  expect(await results).toEqual(['done', 'b', 'done', 'done']);
});

test('work over the limit is exhausted at once and says when to come back', async () => {
  const inTurn = turns({ atOnce: 1, waiting: 1, ofNetwork: 2 });
  const [a, b, c] = [work(), work(), work()];
  const taken = Promise.all([inTurn(a.run, somebody), inTurn(b.run, somebody)]);
  await expect(inTurn(c.run, somebody)).rejects.toMatchObject({ code: 'exhausted', retryAfterMs: 1_000 });
  expect(c.state.started).toBe(false);
  a.resolve('a');
  b.resolve('b');
  expect(await taken).toEqual(['a', 'b']);
});

test('work that fails gives its turn back', async () => {
  const inTurn = turns({ atOnce: 1, waiting: 0, ofNetwork: 2 });
  const failing = work();
  const failed = inTurn(failing.run, somebody);
  failing.reject(new Error('broken'));
  await expect(failed).rejects.toThrow('broken');
  expect(await inTurn(async () => 'next', somebody)).toBe('next');
  expect(await inTurn(async () => 'and again', somebody)).toBe('and again');
});

test('one network has so much work that runs or waits, and leaves the rest of the queue to others', async () => {
  const inTurn = turns({ atOnce: 1, waiting: 3, ofNetwork: 2 });
  const [one, other] = ['192.0.2.1', '192.0.2.2'].map((network) => ({ ...somebody, network }));
  if (!one || !other) throw new Error('there are two');
  const [a, b, c, d] = [work(), work(), work(), work()];
  const taken = Promise.all([inTurn(a.run, one), inTurn(b.run, one)]);
  await expect(inTurn(c.run, one)).rejects.toMatchObject({ code: 'exhausted', slug: 'too-many-passwords' });
  const others = inTurn(d.run, other);
  for (const each of [a, b, d]) each.resolve('done');
  expect([...(await taken), await others]).toEqual(['done', 'done', 'done']);
  expect(await inTurn(async () => 'again', one)).toBe('again');
});

test('who does not wait any more leaves the queue, and the work is never done', async () => {
  const inTurn = turns({ atOnce: 1, waiting: 1, ofNetwork: 1 });
  const gone = new AbortController();
  const [a, b, c] = [work(), work(), work()];
  const first = inTurn(a.run, somebody);
  const abandoned = inTurn(b.run, { network: '192.0.2.1', signal: gone.signal });
  gone.abort(new Error('gone'));
  await expect(abandoned).rejects.toThrow('gone');
  const next = inTurn(c.run, { ...somebody, network: '192.0.2.1' });
  a.resolve('a');
  c.resolve('c');
  expect(await Promise.all([first, next])).toEqual(['a', 'c']);
  await expect(inTurn(b.run, { network: undefined, signal: gone.signal })).rejects.toThrow('gone');
  expect(b.state.started).toBe(false);
});
