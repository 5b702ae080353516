import { expect, test } from 'vitest';
import { testsOf } from './function-tests.ts';

const SEND = { name: 'send-parcel', context: 'parcels' };
const TESTS = {
  'functions/parcels/send-parcel/decide.test.ts': '',
  'functions/parcels/parcel.test.ts': '',
  'functions/labels/label.test.ts': "import { label } from './label.ts';",
  'test/integration/parcel-life.test.ts': "import { parcelEvents } from '../../functions/parcels/events.ts';",
  'test/integration/labels.test.ts': "import { label } from '../../functions/labels/label.ts';",
  'test/e2e/sending.test.ts': "await platform.functionState('send-parcel');",
};

test("the tests of a function are its context's, and others that import from it or name the function", () => {
  expect(testsOf(SEND, TESTS)).toEqual([
    'functions/parcels/parcel.test.ts',
    'functions/parcels/send-parcel/decide.test.ts',
    'test/e2e/sending.test.ts',
    'test/integration/parcel-life.test.ts',
  ]);
});

test('a function of a context without a test is refused, with where a test belongs', () => {
  expect(() => testsOf({ name: 'count-parcels', context: 'counts' }, TESTS)).toThrow(
    'no test is about count-parcels: put one beside its code, such as functions/counts/count-parcels/count-parcels.test.ts',
  );
});
