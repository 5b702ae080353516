import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { plainText, validate } from './schema.ts';

const schema = z.strictObject({
  name: plainText(3),
  lines: z.array(z.strictObject({ quantity: z.int().check(z.minimum(1)) })),
});

function fieldsOf(data: unknown): unknown {
  try {
    return validate(schema, data, 'The body');
  } catch (error) {
    return (error as { fields: unknown }).fields;
  }
}

test('valid data comes back as it is', () => {
  expect(fieldsOf({ name: 'tea', lines: [] })).toEqual({ name: 'tea', lines: [] });
});

test('every wrong field is named with what is wrong', () => {
  expect(fieldsOf({ lines: [{ quantity: 1 }, { quantity: 0, price: 1 }], x: 1 })).toEqual([
    { field: 'name', message: 'is missing' },
    { field: 'lines[1].quantity', message: 'Too small: expected number to be >=1' },
    { field: 'lines[1].price', message: 'is not a known field; leave it out' },
    { field: 'x', message: 'is not a known field; leave it out' },
  ]);
});

test.each([null, 'text', 7, []])('%j is not an object', (data) => {
  expect(fieldsOf(data)).toMatchObject([{ field: '' }]);
});

test.each(['a\u0000', '\ud800', 'a\nb'])('text %j is refused', (name) => {
  expect(fieldsOf({ name, lines: [] })).toMatchObject([{ field: 'name', message: 'must not have control characters' }]);
});

test('however much is wrong, the answer stays small', () => {
  const data = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`${'x'.repeat(300)}${index}`, 1]));
  const fields = fieldsOf(data) as { field: string }[];
  expect(fields).toHaveLength(20);
  expect(Math.max(...fields.map(({ field }) => field.length))).toBeLessThanOrEqual(100);
});
