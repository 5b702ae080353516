import { expect, test } from 'vitest';
import { orderEvents } from '../../orders/events.ts';
import { react } from './react.ts';

const ID = '0199aaaa-0000-7000-8000-000000000001';

test('order-reservations reserves what an order takes', () => {
  const created = orderEvents['order.created'].parse({
    order: {
      orderId: ID,
      version: 1,
      customerId: ID,
      status: 'open',
      currency: 'EUR',
      lines: [{ sku: 'mug', name: 'Mug', quantity: 2, unitPriceMinor: 1, totalMinor: 2 }],
      totalMinor: 2,
      shippingCountry: null,
      createdAt: '2026-11-20T12:00:00.000Z',
    },
  });
  const data = { inventoryId: ID, pieces: [{ sku: 'mug', quantity: 2 }] };
  expect(react(created)).toEqual([
    { do: 'send', command: { type: 'command.inventory.reserve_stock', subject: ID, data } },
  ]);
});
