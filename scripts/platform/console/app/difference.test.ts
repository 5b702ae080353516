import { expect, test } from 'vitest';
import { difference } from './difference.ts';

const paid = { version: 2, paidMinor: 250, lines: [{ sku: 'tea', quantity: 1 }], shipments: [] };
const shipped = { version: 3, paidMinor: 250, lines: [{ sku: 'tea', quantity: 1 }], shipments: [{ carrier: 'Post' }] };

test('a field that is another, new or gone is told with both values, one that stays is not a change', () => {
  const changed = difference(paid, shipped).filter((row) => row.changed);
  expect(changed).toEqual([
    { field: 'version', before: '2', after: '3', changed: true },
    { field: 'shipments[0].carrier', before: undefined, after: '"Post"', changed: true },
    { field: 'shipments', before: '[]', after: undefined, changed: true },
  ]);
});

test('the first state is all new', () => {
  const rows = difference(undefined, paid);
  expect(rows.map(({ field }) => field)).toEqual([
    'version',
    'paidMinor',
    'lines[0].sku',
    'lines[0].quantity',
    'shipments',
  ]);
  expect(rows.every((row) => row.changed && row.before === undefined)).toBe(true);
});
