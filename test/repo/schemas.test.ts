import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { schemaVersionOf } from '../../functions/runtime/store/schema-versions.ts';
import type { MessageSchema } from '../../scripts/registry/compatibility.ts';
import { aggregatesOf, readContexts } from '../../scripts/registry/contexts.ts';
import {
  acceptSchemas,
  notAccepted,
  readSnapshot,
  refusals,
  type Schemas,
  todaysSchemas,
} from '../../scripts/registry/schemas.ts';

const TODAY = await todaysSchemas();

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-schemas-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

test("today's events can take the place of the accepted ones: neither old data nor old readers are in the way", () => {
  expect(refusals(readSnapshot(), TODAY)).toEqual([]);
});

test('every schema of an event is accepted as it is today; `npm run schemas` accepts a compatible change', () => {
  expect(notAccepted(readSnapshot(), TODAY)).toEqual([]);
});

test('every context that publishes events is under the gate', async () => {
  const publishing = (await readContexts()).filter(({ events }) => events !== undefined).map(({ name }) => name);
  expect(publishing.length).toBeGreaterThan(1);
  expect([...new Set(Object.keys(TODAY).map((name) => name.split('/')[0]))].sort()).toEqual(publishing);
});

test('every schema version that was ever stored can be upcast to the newest', async () => {
  const aggregates = Object.values(aggregatesOf(await readContexts()));
  expect(aggregates.length).toBeGreaterThan(0);
  for (const { aggregate, storedEvents } of aggregates)
    for (const [type, versions] of Object.entries(storedEvents))
      expect(versions.length, type).toBe(schemaVersionOf(aggregate, type));
});

/** A copy of a schema with `change` made to the properties of it, or of its public order. */
const changed = (schema: MessageSchema, change: (schema: Changeable) => void): MessageSchema => {
  const copy = structuredClone(schema) as { reads: Changeable; writes: Changeable };
  for (const side of [copy.reads, copy.writes]) change((side.properties.order as unknown as Changeable) ?? side);
  return copy;
};
type Changeable = {
  properties: Record<string, { enum?: string[]; type?: string; pattern?: string; minimum?: number }>;
  required: string[];
};

/** Planted changes to a published and a stored event, and what the gate says. */
const PLANTED: [what: string, name: string, change: (schema: Changeable) => void, says: string][] = [
  [
    'a field removed',
    'orders/schemas/published/order.paid',
    ({ properties }) => delete properties.currency,
    'order.currency is not there',
  ],
  [
    'a field renamed',
    'orders/schemas/stored/order.paid@1',
    (schema) => {
      schema.properties.paymentRef = schema.properties.paymentId ?? {};
      delete schema.properties.paymentId;
      schema.required = schema.required.map((name) => (name === 'paymentId' ? 'paymentRef' : name));
    },
    'paymentRef is not there',
  ],
  [
    'a field made required',
    'orders/schemas/published/order.created',
    ({ required }) => required.push('shipments'),
    'order.shipments may be missing',
  ],
  [
    'a type narrowed',
    'orders/schemas/published/order.shipped',
    ({ properties }) => {
      properties.shippingCountry = { type: 'string' };
    },
    'order.shippingCountry may be null',
  ],
  [
    'a value of an enum removed',
    'orders/schemas/published/order.expired',
    ({ properties }) => properties.status?.enum?.pop(),
    'order.status may be "expired"',
  ],
  [
    'a value of an enum added',
    'orders/schemas/published/order.paid',
    ({ properties }) => properties.status?.enum?.push('lost'),
    'order.status may be "lost"',
  ],
  [
    'a first form changed',
    'orders/schemas/stored/order.created@1',
    ({ properties, required }) => {
      properties.paymentDueAt = { type: 'string' };
      required.push('paymentDueAt');
    },
    'paymentDueAt is not there',
  ],
];

test.each(PLANTED)(
  'the gate refuses %s in %s, and leaves the accepted schemas as they are',
  (_what, name, change, says) => {
    const today = TODAY;
    acceptSchemas(today, folder);
    const accepted = readSnapshot(folder);
    const schema = today[name];
    if (!schema) throw new Error(`there is no ${name}`);
    const planted: Schemas = { ...today, [name]: changed(schema, change) };
    expect(() => acceptSchemas(planted, folder)).toThrow(new RegExp(`${name}: .*${says.replaceAll('.', '\\.')}`));
    expect(readSnapshot(folder)).toEqual(accepted);
  },
);

test('the gate refuses that an event is gone', () => {
  const { 'orders/schemas/stored/order.created@1': _, ...others } = TODAY;
  expect(refusals(readSnapshot(), others)).toEqual([
    expect.stringContaining('orders/schemas/stored/order.created@1 is gone'),
  ]);
});

test('a new event and a new field with a default are accepted', () => {
  const { 'orders/schemas/published/order.refunded': refunded, ...before } = TODAY;
  const paid = before['orders/schemas/published/order.paid'];
  if (!refunded || !paid) throw new Error('an event is gone');
  acceptSchemas(before, folder);
  const grown = changed(paid, ({ properties }) => {
    properties.note = { type: 'string' };
  });
  const today = {
    ...before,
    'orders/schemas/published/order.refunded': refunded,
    'orders/schemas/published/order.paid': grown,
  };
  expect(acceptSchemas(today, folder).sort()).toEqual([
    'orders/schemas/published/order.paid',
    'orders/schemas/published/order.refunded',
  ]);
  expect(notAccepted(readSnapshot(folder), today)).toEqual([]);
});
