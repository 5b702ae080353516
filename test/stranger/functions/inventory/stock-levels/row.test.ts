import { expect, test } from 'vitest';
import { inventoryEvents } from '../events.ts';
import { rowOf } from './row.ts';

const ID = '0199aaaa-0000-7000-8000-000000000001';

test('stock-levels has a row with what it is read for', () => {
  const reserved = [
    { sku: 'mug', quantity: 2 },
    { sku: 'pen', quantity: 3 },
  ];
  const event = { inventory: { inventoryId: ID, version: 1, reserved, reservedAt: '2026-11-20T12:00:00.000Z' } };
  expect(rowOf(inventoryEvents['inventory.reserved'].parse(event))).toEqual({
    inventory_id: ID,
    version: 1,
    pieces: 5,
  });
});
