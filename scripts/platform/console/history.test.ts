import { expect, test } from 'vitest';
import { openHistory } from './history.ts';
import type { FunctionNow } from './wire.ts';

const fn = (name: string, lag: number): FunctionNow => ({
  name,
  kind: 'command',
  replicas: lag > 0 ? 1 : 0,
  ready: 0,
  lag,
  pending: lag,
  rate: null,
  min: 0,
  max: 10,
});

test('only functions that are not as they were a second ago are given', () => {
  const history = openHistory();
  expect(history.add([fn('a', 0), fn('b', 0)]).map(({ name }) => name)).toEqual(['a', 'b']);
  expect(history.add([fn('a', 0), fn('b', 3)])).toEqual([fn('b', 3)]);
  expect(history.add([fn('a', 0), fn('b', 3)])).toEqual([]);
});

test('the last seconds are kept, a value each, and no more', () => {
  const history = openHistory(3);
  for (const lag of [1, 2, 3, 4]) history.add([fn('a', lag)]);
  expect(history.series()).toEqual({ a: { replicas: [1, 1, 1], lag: [2, 3, 4], rate: [0, 0, 0] } });
});
