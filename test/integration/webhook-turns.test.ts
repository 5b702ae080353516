import { expect, test } from 'vitest';
import { openTurns } from '../../functions/notifications/webhooks/turns.ts';
import { until } from '../support/until.ts';

const startLine = () => {
  let now = 1_000_000;
  const { run } = openTurns(() => now);
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const attempt = (id: string, dueMs: number, endpoint = 'one') =>
    run(endpoint, { id, dueMs }, async () => {
      started.push(id);
      await new Promise<void>((end) => ends.set(id, end));
    });
  const end = async (id: string, tookMs = 0): Promise<void> => {
    await until(`${id} to start`, () => started.includes(id));
    now += tookMs;
    ends.get(id)?.();
  };
  return { attempt, end, started, pass: (ms: number) => (now += ms) };
};

test('deliveries that come together go one by one as they fell due, and those of another endpoint beside them', async () => {
  const { attempt, end, started } = startLine();
  const all = [attempt('c', 3), attempt('a', 1), attempt('b', 2), attempt('other', 9, 'two')];
  await until('the first of each', () => started.length === 2);
  expect([...started].sort()).toEqual(['a', 'other']);
  for (const id of ['other', 'a', 'b', 'c']) await end(id);
  await Promise.all(all);
  expect(started.filter((id) => id !== 'other')).toEqual(['a', 'b', 'c']);
});

test('who would wait for long goes, for as long as those before take, and nobody who fell due later overtakes him', async () => {
  const { attempt, end, started, pass } = startLine();
  const slow = attempt('slow', 0);
  await end('slow', 10_000);
  await slow;
  const first = attempt('a', 1);
  expect(await Promise.all([attempt('c', 3), attempt('b', 2)])).toEqual([
    { full: true, againMs: 20_000 },
    { full: true, againMs: 10_000 },
  ]);
  await end('a', 10_000);
  await first;
  expect(await attempt('d', 4)).toEqual({ full: true, againMs: 20_000 });
  const again = [attempt('b', 2)];
  await end('b', 100);
  await Promise.all(again);
  pass(10_000);
  const last = [attempt('d', 4), attempt('c', 3)];
  await end('c', 100);
  await end('d', 100);
  await Promise.all(last);
  expect(started).toEqual(['slow', 'a', 'b', 'c', 'd']);
});

test('one that was sent away and never comes back holds up nobody for good, nor does one that fails', async () => {
  const { attempt, end, started, pass } = startLine();
  const slow = attempt('slow', 0);
  await end('slow', 10_000);
  await slow;
  const first = attempt('a', 1);
  expect(await attempt('lost', 2)).toMatchObject({ full: true });
  await end('a', 10_000);
  await first;
  pass(10_000);
  const last = attempt('c', 3);
  await end('c');
  await last;
  expect(started).toEqual(['slow', 'a', 'c']);
  const { run } = openTurns();
  const broken = () => Promise.reject(new Error('planted'));
  await expect(run('one', { id: 'a', dueMs: 1 }, broken)).rejects.toThrow('planted');
  expect(await run('one', { id: 'b', dueMs: 2 }, async () => 'done')).toEqual({ done: 'done' });
});
