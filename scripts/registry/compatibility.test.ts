import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { incompatibilities, type MessageSchema } from './compatibility.ts';

const schemaOf = (schema: z.ZodMiniType): MessageSchema => ({
  reads: z.toJSONSchema(schema, { io: 'input' }),
  writes: z.toJSONSchema(schema, { io: 'output' }),
});

const shape = {
  id: z.uuid(),
  status: z.enum(['open', 'closed']),
  amount: z.int().check(z.nonnegative()),
  lines: z.array(z.object({ sku: z.string(), quantity: z.int() })),
  note: z.nullable(z.string()),
  paid: z._default(z.int(), 0),
  hint: z.optional(z.string()),
};
const { id: _id, note: _note, paid: _paid, hint: _hint, ...some } = shape;
const { amount: _amount, ...rest } = shape;
const yesterday = schemaOf(z.object(shape)).reads;
const changedTo = (changes: Parameters<typeof z.object>[0]) =>
  incompatibilities(yesterday, schemaOf(z.object({ ...shape, ...changes })));

test('the same schema is compatible with itself', () => {
  expect(changedTo({})).toEqual([]);
});

test.each([
  ['a new field with a default', { refunded: z._default(z.int(), 0) }],
  ['a new optional field', { remark: z.optional(z.string()) }],
  [
    'a new field in a line, with a default',
    { lines: z.array(z.object({ sku: z.string(), quantity: z.int(), shipped: z._default(z.int(), 0) })) },
  ],
  ['the same in another order', Object.fromEntries(Object.entries(shape).reverse())],
])('%s is compatible', (_what, changes) => {
  expect(changedTo(changes)).toEqual([]);
});

const OLD_DATA = 'in old data that new code reads, ';
const NEW_DATA = 'in new data that old code reads, ';

test.each([
  ['a new required field', { refunded: z.int() }, [`${OLD_DATA}refunded is not there`]],
  ['a default that was dropped', { paid: z.int() }, [`${OLD_DATA}paid may be missing`]],
  ['an optional field made required', { hint: z.string() }, [`${OLD_DATA}hint may be missing`]],
  [
    'a required field made optional',
    { amount: z.optional(z.int().check(z.nonnegative())) },
    [`${NEW_DATA}amount may be missing`],
  ],
  ['a field with a default made optional', { paid: z.optional(z.int()) }, [`${NEW_DATA}paid may be missing`]],
  ['another type', { amount: z.string() }, [`${OLD_DATA}amount may be integer`, `${NEW_DATA}amount may be string`]],
  ['a narrower type', { note: z.string() }, [`${OLD_DATA}note may be null`]],
  ['a wider type', { amount: z.nullable(z.int().check(z.nonnegative())) }, [`${NEW_DATA}amount may be null`]],
  [
    'a whole number made any number',
    { amount: z.number().check(z.nonnegative(), z.maximum(Number.MAX_SAFE_INTEGER)) },
    [`${NEW_DATA}amount may be number`],
  ],
  ['a narrower range', { amount: z.int().check(z.positive()) }, [`${OLD_DATA}amount has minimum 0, not 1`]],
  ['a wider range', { amount: z.int() }, [`${NEW_DATA}amount has minimum -9007199254740991, not 0`]],
  ['a value removed', { status: z.enum(['open']) }, [`${OLD_DATA}status may be "closed"`]],
  ['a value added', { status: z.enum(['open', 'closed', 'lost']) }, [`${NEW_DATA}status may be "lost"`]],
  ['values made any text', { status: z.string() }, [`${NEW_DATA}status may be anything, not only "open", "closed"`]],
  [
    'another pattern',
    { hint: z.optional(z.string().check(z.regex(/^a/))) },
    [`${OLD_DATA}hint has pattern none, not "^a"`],
  ],
  [
    'a field of a line renamed',
    { lines: z.array(z.object({ sku: z.string(), pieces: z.int() })) },
    [`${OLD_DATA}lines[].pieces is not there`, `${NEW_DATA}lines[].quantity is not there`],
  ],
])('%s is found', (_what, changes, expected) => {
  expect(changedTo(changes)).toEqual(expected);
});

test('fields that are gone are found, whether they were required, had a default or were optional', () => {
  expect(incompatibilities(yesterday, schemaOf(z.object(some)))).toEqual(
    ['id', 'note', 'paid', 'hint'].map((name) => `${NEW_DATA}${name} is not there`),
  );
});

test('a field renamed is found in both directions', () => {
  expect(incompatibilities(yesterday, schemaOf(z.object({ ...rest, sum: shape.amount })))).toEqual([
    `${OLD_DATA}sum is not there`,
    `${NEW_DATA}amount is not there`,
  ]);
});

test('what cannot be compared is refused rather than passed', () => {
  const odd = { type: 'object', properties: { id: { type: 'string', not: { const: '' } } } };
  const plain = { type: 'object', properties: { id: { type: 'string' } } };
  expect(incompatibilities(plain, { reads: odd, writes: odd })).toEqual([
    `${OLD_DATA}id has not none, not {"const":""}`,
  ]);
});
