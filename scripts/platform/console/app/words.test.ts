import { expect, test } from 'vitest';
import type { FunctionNow } from '../wire.ts';
import { duration, mark, money, reason, shortId, time, wakefulness } from './words.ts';

test.each([
  [0, '0 s'],
  [0.25, '0.25 ms'],
  [7.04, '7.0 ms'],
  [431, '431 ms'],
  [1_234, '1.23 s'],
  [42_000, '42.0 s'],
  [125_000, '2 min 5 s'],
  [7_380_000, '2 h 3 min'],
])('%d ms is %s', (ms, words) => {
  expect(duration(ms)).toBe(words);
});

test('a mark on a scale of time is short', () => {
  expect([0, 100, 3_600, 5_400, 21_600].map(mark)).toEqual(['0:00', '1:40', '1 h', '90:00', '6 h']);
});

test('money is written as its currency is, also one without cents', () => {
  expect([money(1_250, 'EUR'), money(1_250, 'JPY')]).toEqual(['€12.50', 'JP¥1,250']);
});

test('of an id its end is told, and another name is told whole', () => {
  expect(['01a1ffca-5076-7daa-8d51-54ef12fde3b5', 'pay-order'].map(shortId)).toEqual(['…12fde3b5', 'pay-order']);
});

test('the day is told of what is not from today', () => {
  const noon = new Date(2026, 4, 3, 12).getTime();
  expect(time(noon, noon)).toBe('12:00:00');
  expect(time(noon, noon + 86_400_000)).toBe('3 May, 12:00:00');
});

test('a function tells whether it sleeps, wakes, serves or fails, and why', () => {
  const asleep: FunctionNow = {
    name: 'pay-order',
    kind: 'command',
    replicas: 0,
    ready: 0,
    lag: 0,
    pending: 0,
    rate: 0,
    min: 0,
    max: 10,
  };
  const change = { at: '', from: 0, to: 1, why: 'lag of COMMANDS/pay-order is 1, above 0: woken' };
  const waking = { ...asleep, replicas: 1, lastChange: change };
  const failing = { ...waking, problem: 'pay-order exited with 1. Its log:\n  Error' };
  expect([asleep, waking, { ...waking, ready: 1 }, failing].map(wakefulness)).toEqual([
    'asleep',
    'waking',
    'awake',
    'failing',
  ]);
  expect([asleep, waking, failing].map(reason)).toEqual([
    'nothing has come for it yet',
    change.why,
    'pay-order exited with 1. Its log:',
  ]);
});
