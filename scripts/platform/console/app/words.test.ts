import { expect, test } from 'vitest';
import type { FunctionNow } from '../wire.ts';
import { duration, mark, pluralTitle, reason, shortId, statuses, time, title, wakefulness } from './words.ts';

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

test.each([
  ['parcel', 'Parcel', 'Parcels'],
  ['return_box', 'Return box', 'Return boxes'],
  ['delivery', 'Delivery', 'Deliveries'],
  ['survey', 'Survey', 'Surveys'],
])('an aggregate %s is a title, of one and of many', (name, one, many) => {
  expect([title(name), pluralTitle(name)]).toEqual([one, many]);
});

test('fields of a state that are a status are found by their name', () => {
  const state = { status: 'open', weight: 3, routeStatus: 'late', statuses: ['x'], note: 'y' };
  expect(statuses(state)).toEqual([
    ['status', 'open'],
    ['routeStatus', 'late'],
  ]);
});

test('of an id its end is shown, and another name is shown whole', () => {
  expect(['01a1ffca-5076-7daa-8d51-54ef12fde3b5', 'send-parcel'].map(shortId)).toEqual(['…12fde3b5', 'send-parcel']);
});

test('the day is shown of what is not from today', () => {
  const noon = new Date(2026, 4, 3, 12).getTime();
  expect(time(noon, noon)).toBe('12:00:00');
  expect(time(noon, noon + 86_400_000)).toBe('3 May, 12:00:00');
});

test('a function shows whether it sleeps, wakes, serves or fails, and why', () => {
  const asleep: FunctionNow = {
    name: 'send-parcel',
    kind: 'command',
    replicas: 0,
    ready: 0,
    lag: 0,
    pending: 0,
    rate: 0,
    min: 0,
    max: 10,
  };
  const change = { at: '', from: 0, to: 1, why: 'lag of COMMANDS/send-parcel is 1, above 0: woken' };
  const waking = { ...asleep, replicas: 1, lastChange: change };
  const failing = { ...waking, problem: 'send-parcel exited with 1. Its log:\n  Error' };
  expect([asleep, waking, { ...waking, ready: 1 }, failing].map(wakefulness)).toEqual([
    'asleep',
    'waking',
    'awake',
    'failing',
  ]);
  expect([asleep, waking, failing].map(reason)).toEqual([
    'nothing has come for it yet',
    change.why,
    'send-parcel exited with 1. Its log:',
  ]);
});
