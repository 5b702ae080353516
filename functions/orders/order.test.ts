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

test('the largest order there can be fits into a message of the stream', () => {
  const sku = (index: number) => `${'s'.repeat(60)}${String(index).padStart(3, '0')}`;
  const lines = Array.from({ length: 100 }, (_, index) => ({
    sku: sku(index),
    name: '語'.repeat(200),
    quantity: 999,
    unitPriceMinor: 1_000_000_000,
    totalMinor: 999_000_000_000,
  }));
  const { createdAt: shippedAt, orderId: shipmentId } = created.data as { createdAt: string; orderId: string };
  const parcel = { shipmentId, carrier: '語'.repeat(60), trackingNumber: '語'.repeat(60), shippedAt };
  const shipped: OrderEvent = {
    type: 'order.shipped',
    data: { ...parcel, lines: lines.map((line) => ({ sku: line.sku, quantity: 49 })) },
  };
  const first = { ...created, data: { ...created.data, lines } } as OrderEvent;
  const order = [first, ...Array.from({ length: 20 }, () => shipped)].reduce(orders.evolve, orders.initial);
  const message = JSON.stringify({ ...shipped.data, order: orders.publish(order, 21) });
  expect(Buffer.byteLength(message)).toBeLessThan(500_000);
});
