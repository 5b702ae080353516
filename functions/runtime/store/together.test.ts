import { expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { together } from './together.ts';

/** Doubles numbers; throws what is given for a call that has one of these in it. */
function openDoubling(most: number, bad: Readonly<Record<number, Error>> = {}) {
  const calls: (readonly number[])[] = [];
  const double = together<number, number>(most, async (numbers) => {
    calls.push(numbers);
    await new Promise((resolve) => setImmediate(resolve));
    const error = numbers.map((one) => bad[one]).find(Boolean);
    if (error) throw error;
    return numbers.map((one) => 2 * one);
  });
  return { calls, double };
}

test('what comes first goes at once, what comes meanwhile goes together, and each gets its own result', async () => {
  const { calls, double } = openDoubling(100);
  expect(await Promise.all([1, 2, 3, 4].map(double))).toEqual([2, 4, 6, 8]);
  expect(calls).toEqual([[1], [2, 3, 4]]);
  expect(await double(5)).toBe(10);
  expect(calls.at(-1)).toEqual([5]);
});

test('no more go together than may', async () => {
  const { calls, double } = openDoubling(2);
  await Promise.all([1, 2, 3, 4, 5].map(double));
  expect(calls).toEqual([[1], [2, 3], [4, 5]]);
});

test('what fails alone fails alone, and its neighbours are done', async () => {
  const { calls, double } = openDoubling(100, { 4: new Error('four') });
  const ends = await Promise.allSettled([1, 2, 3, 4, 5].map(double));
  expect(ends.map((end) => (end.status === 'fulfilled' ? end.value : end.reason.message))).toEqual([
    2,
    4,
    6,
    'four',
    10,
  ]);
  expect(calls).toEqual([[1], [2, 3, 4, 5], [2, 3], [4, 5], [4], [5]]);
});

test('what nobody can have now is asked for once', async () => {
  const away = new AppError('unavailable', 'away', 'It is away');
  const { calls, double } = openDoubling(100, { 3: away });
  const ends = await Promise.allSettled([1, 2, 3, 4].map(double));
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
  expect(calls).toEqual([[1], [2, 3, 4]]);
  expect(await double(5)).toBe(10);
});
