import { expect, test } from 'vitest';
import { cursor, cursorOf, day, time, wholeNumber } from './query.ts';

const whole = wholeNumber(1, 100, 'a number');

test.each([
  ['1', 1],
  ['100', 100],
  ['007', 7],
])('%s is the whole number %d', (text, value) => {
  expect(whole.parse(text)).toBe(value);
});

test.each(['0', '101', '-1', '1.5', '1e1', '0x1', ' 1', '', 'ten', '99999999999'])(
  '%j is not from 1 to 100',
  (text) => {
    expect(whole.safeParse(text).error?.issues[0]?.message).toBe('must be a whole number from 1 to 100');
  },
);

test.each([
  ['2026-11-20T12:00:00Z', '2026-11-20T12:00:00.000Z'],
  ['2026-11-20T13:00:00.5+01:00', '2026-11-20T12:00:00.500Z'],
])('%s is the time %s', (text, value) => {
  expect(time('a time').parse(text)).toBe(value);
});

test.each([
  '2026-11-20',
  '2026-02-30T00:00:00Z',
  '2026-11-20T12:00:00',
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00+14:00',
  '9999-12-31T23:59:59-14:00',
  '2026-11-20T12:00:00 01:00',
])('%s is not a time', (text) => {
  expect(time('a time').safeParse(text).error?.issues[0]?.message).toContain('%2B');
});

test.each(['2026-02-30', '0000-01-01', '20261120', '2026-11-20T00:00:00Z'])('%s is not a day', (text) => {
  expect(day('a day').safeParse(text).success).toBe(false);
});

const place = { createdAt: '2026-11-20T12:00:00.123456Z', id: '0199aaaa-0000-7000-8000-000000000001' };

test('a cursor is one word of a URL and leads back to its place', () => {
  expect(cursorOf(place)).toMatch(/^[\w-]+$/);
  expect(cursor.parse(cursorOf(place))).toEqual(place);
});

test.each([
  'garbage',
  '',
  Buffer.from('null').toString('base64url'),
  Buffer.from('[1,2]').toString('base64url'),
  cursorOf({ ...place, id: "' or 1=1" }),
  cursorOf({ ...place, createdAt: '0000-01-01T00:00:00Z' }),
])('%j is not a cursor', (text) => {
  expect(cursor.safeParse(text).error?.issues[0]?.message).toContain('not a cursor');
});
