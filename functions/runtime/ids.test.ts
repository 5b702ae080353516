import { expect, test } from 'vitest';
import { nameId, newId } from './ids.ts';
import { continueTrace } from './trace.ts';

test('a new id is a UUIDv7 that sorts by its time', () => {
  expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(newId(1_000) < newId(2_000)).toBe(true);
  expect(newId(1_000)).not.toBe(newId(1_000));
});

test('the id of a name is a UUIDv8, the same for the same parts and no others', () => {
  expect(nameId('parcel', 'a', 'b')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(nameId('a', 'bc')).toBe(nameId('a', 'bc'));
  expect(nameId('a', 'bc')).not.toBe(nameId('ab', 'c'));
});

test('a trace goes on under its id with a span of its own', () => {
  const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const { traceId, traceparent } = continueTrace(parent);
  expect(traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
  expect(traceparent).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/);
  expect(traceparent).not.toBe(parent);
});

test.each([
  undefined,
  '',
  'x',
  '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
])('traceparent %j begins a new trace', (value) => {
  expect(continueTrace(value).traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
  expect(continueTrace(value).traceId).not.toBe('4bf92f3577b34da6a3ce929d0e0e4736');
});
