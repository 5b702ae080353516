import { expect, test } from 'vitest';
import { idempotencyKey, waitMs } from './orders.ts';

test('a key of visible characters is taken as it is', () => {
  expect(idempotencyKey({ 'idempotency-key': 'order-1' })).toBe('order-1');
});

test.each([undefined, '', 'with space', 'x'.repeat(256), 'é', ['a', 'b']])(
  'key %j is refused, naming the header',
  (key) => {
    expect(() => idempotencyKey({ 'idempotency-key': key })).toThrow('Idempotency-Key');
  },
);

test.each([
  [undefined, 5_000],
  ['wait=10', 10_000],
  ['respond-async, wait=0', 0],
  ['wait=9999', 20_000],
  ['wait=soon', 5_000],
  ['await=3', 5_000],
])('Prefer: %s waits %d ms', (prefer, expected) => {
  expect(waitMs({ prefer })).toBe(expected);
});
