import { expect, test } from 'vitest';
import { publicOrder } from './events.ts';
import { type OrderEvent, orders } from './order.ts';

const created: OrderEvent = {
  type: 'order.created',
  data: {
    orderId: '0190b6a0-0000-7000-8000-000000000002',
    customerId: '0190b6a0-0000-7000-8000-000000000001',
    currency: 'EUR',
    lines: [{ sku: 'mug', name: 'Mug', quantity: 2, unitPriceMinor: 1250, totalMinor: 2500 }],
    totalMinor: 2500,
    shippingCountry: 'NL',
    createdAt: '2026-11-20T12:00:00.000Z',
    paymentDueAt: '2026-11-20T12:30:00.000Z',
  },
};

test('a created order is published as the schema of events promises', () => {
  const order = orders.publish(orders.evolve(orders.initial, created), 1);
  expect(publicOrder.parse(order)).toEqual(order);
  expect(order).toMatchObject({
    status: 'open',
    paymentStatus: 'pending',
    fulfilmentStatus: 'unfulfilled',
    version: 1,
  });
});

test('an order without events has no public form', () => {
  expect(() => orders.publish(orders.initial, 0)).toThrow('without events');
});
