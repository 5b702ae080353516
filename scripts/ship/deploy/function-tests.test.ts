import { expect, test } from 'vitest';
import { testsOf } from './function-tests.ts';

const send = { name: 'send-parcel', context: 'parcels' };
const files = [
  'functions/parcels/send-parcel/function.ts',
  'functions/parcels/send-parcel/decide.test.ts',
  'functions/parcels/parcel.test.ts',
  'functions/labels/label.test.ts',
  'test/integration/parcel-life.test.ts',
  'test/integration/labels.test.ts',
  'test/chaos/parcels-killed.test.ts',
];
const imports = [
  { from: 'test/integration/parcel-life.test.ts', to: 'functions/parcels/events.ts' },
  { from: 'test/chaos/parcels-killed.test.ts', to: 'functions/parcels/events.ts' },
  { from: 'test/integration/labels.test.ts', to: 'functions/labels/label.ts' },
];

test("the tests of a function are its context's, and the integration tests that import from it", () => {
  expect(testsOf(send, files, imports)).toEqual([
    'functions/parcels/parcel.test.ts',
    'functions/parcels/send-parcel/decide.test.ts',
    'test/integration/parcel-life.test.ts',
  ]);
});

test('a function of a context without a test is refused, with where a test belongs', () => {
  const untested = { name: 'count-parcels', context: 'counts' };
  expect(() => testsOf(untested, files, imports)).toThrow(
    'no test is about count-parcels: put one beside its code, such as functions/counts/count-parcels/count-parcels.test.ts',
  );
});
