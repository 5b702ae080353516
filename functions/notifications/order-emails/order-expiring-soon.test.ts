import { expect, test } from 'vitest';
import { remindAt } from './order-expiring-soon.ts';

const MINUTE_MS = 60_000;
const created = Date.parse('2026-11-20T12:00:00.000Z');
const at = (minutes: number): string => new Date(created + minutes * MINUTE_MS).toISOString();
const order = (minutes: number) => ({
  createdAt: at(0),
  paymentDueAt: at(minutes),
  paymentStatus: 'pending' as const,
});

test.each([
  ['half of a short time before its end', 30, 15],
  ['half of two days before their end', 2 * 24 * 60, 24 * 60],
  ['a day before the end of a month', 30 * 24 * 60, 29 * 24 * 60],
])('who has not paid is reminded %s', (_, window, expected) => {
  expect(remindAt(order(window), created)).toBe(at(expected));
});

test('a reminder whose time is past is due still, as long as the order can be paid', () => {
  expect(remindAt(order(30), created + 20 * MINUTE_MS)).toBe(at(15));
  expect(remindAt(order(30), created + 30 * MINUTE_MS)).toBeUndefined();
});

test('nobody is reminded of what costs nothing, is paid, or must be paid at once', () => {
  expect(remindAt({ ...order(30), paymentDueAt: null }, created)).toBeUndefined();
  expect(remindAt({ ...order(30), paymentStatus: 'paid' }, created)).toBeUndefined();
  expect(remindAt(order(9), created)).toBeUndefined();
});
