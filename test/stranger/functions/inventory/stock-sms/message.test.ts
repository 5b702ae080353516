import { expect, test } from 'vitest';
import { inventoryEvents } from '../events.ts';
import { notifications, textOf } from './message.ts';

const ID = '0199aaaa-0000-7000-8000-000000000001';

test('stock-sms tells the storekeeper what was reserved', () => {
  const reserved = [{ sku: 'mug', quantity: 2 }];
  const event = inventoryEvents['inventory.reserved'].parse({
    inventory: { inventoryId: ID, version: 1, reserved, reservedAt: '2026-11-20T12:00:00.000Z' },
  });
  expect(notifications(event)).toEqual([{ template: 'stock-sms', recipient: 'storekeeper' }]);
  expect(textOf(event)).toBe(`Reserved for ${ID}: 2 mug`);
});
