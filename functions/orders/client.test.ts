import { expect, test } from 'vitest';
import { type OrderHistory, orderAsOf } from './client.ts';

const orderId = '0199aaaa-0000-7000-8000-000000000001';
const about = {
  actor: 'somebody',
  commandId: orderId,
  command: 'command.order.create',
  correlationId: orderId,
  traceId: '0'.repeat(32),
};
const history: OrderHistory = [
  {
    ...about,
    version: 1,
    at: '2026-11-20T12:00:00.000Z',
    event: {
      type: 'order.created',
      data: {
        orderId,
        customerId: orderId,
        currency: 'EUR',
        lines: [{ sku: 'mug', name: 'Mug', quantity: 1, unitPriceMinor: 1250, totalMinor: 1250 }],
        totalMinor: 1250,
        shippingCountry: null,
        createdAt: '2026-11-20T12:00:00.000Z',
        paymentDueAt: '2026-11-20T12:30:00.000Z',
      },
    },
  },
  {
    ...about,
    version: 2,
    at: '2026-11-20T12:10:00.000Z',
    event: {
      type: 'order.paid',
      data: { paymentId: orderId, amountMinor: 1250, paidAt: '2026-11-20T12:10:00.000Z' },
    },
  },
];

test('an order is read as its events up to a version made it', () => {
  expect(orderAsOf(history, { version: 1 })).toMatchObject({ version: 1, paymentStatus: 'pending', paidMinor: 0 });
  expect(orderAsOf(history, { version: 2 })).toMatchObject({ version: 2, paymentStatus: 'paid', paidMinor: 1250 });
  expect(orderAsOf(history, {})).toEqual(orderAsOf(history, { version: 2 }));
});

test('a version that is not there yet is no order', () => {
  expect(orderAsOf(history, { version: 3 })).toBeUndefined();
  expect(orderAsOf([], { version: 1 })).toBeUndefined();
});

test.each([
  ['2026-11-20T11:59:59.999Z', undefined],
  ['2026-11-20T12:00:00Z', 1],
  ['2026-11-20T12:09:59.999Z', 1],
  ['2026-11-20T13:10:00.000+01:00', 2],
  ['2030-01-01T00:00:00Z', 2],
])('at %s the order was at version %s', (at, version) => {
  expect(orderAsOf(history, { at })?.version).toBe(version);
});
