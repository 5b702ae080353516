import { expect, test } from 'vitest';
import { inventoryEvents } from '../events.ts';
import { adds } from './adds.ts';

const ID = '0199aaaa-0000-7000-8000-000000000001';

test('pieces-reserved adds the pieces of each product', () => {
  const reserved = [{ sku: 'mug', quantity: 2 }];
  const event = { inventory: { inventoryId: ID, version: 1, reserved, reservedAt: '2026-11-20T12:00:00.000Z' } };
  expect(adds(inventoryEvents['inventory.reserved'].parse(event))).toEqual([{ sku: 'mug', pieces: 2 }]);
});
