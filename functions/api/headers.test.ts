import { expect, test } from 'vitest';
import { etagOf, hasSeen, idempotencyKey, preferredWaitMs, versionOfIfMatch, waitMs } from './headers.ts';

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
  [undefined, undefined],
  ['wait=10', 10_000],
  ['respond-async, wait=0', 0],
  ['wait=9999', 20_000],
  ['wait=soon', undefined],
  ['await=3', undefined],
])('Prefer: %s asks for %s ms, and without a wish it is 5 s', (prefer, expected) => {
  expect(preferredWaitMs({ prefer })).toBe(expected);
  expect(waitMs({ prefer })).toBe(expected ?? 5_000);
});

test.each([
  ['"v3"', 3],
  ['W/"v12"', 12],
  ['*', undefined],
  [undefined, undefined],
])('If-Match: %s means version %s', (header, version) => {
  expect(versionOfIfMatch({ 'if-match': header })).toBe(version);
});

test.each(['v3', '"3"', '"v0"', '"v1", "v2"', '""', '"v9999999999"'])('If-Match: %s is refused, by name', (header) => {
  expect(() => versionOfIfMatch({ 'if-match': header })).toThrow('If-Match must be');
});

test.each([
  ['"v3"', true],
  ['"v2", W/"v3"', true],
  ['*', true],
  ['"v30"', false],
  [undefined, false],
])('If-None-Match: %s has seen version 3: %s', (header, seen) => {
  expect(hasSeen({ 'if-none-match': header }, etagOf({ version: 3 }))).toBe(seen);
});
