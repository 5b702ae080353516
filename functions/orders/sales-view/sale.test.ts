import { expect, test } from 'vitest';
import { type SaleEvent, saleOf } from './sale.ts';

const order = {
  orderId: '0199aaaa-0000-7000-8000-000000000001',
  version: 4,
  customerId: '0199aaaa-0000-7000-8000-000000000002',
  status: 'open' as const,
  paymentStatus: 'paid' as const,
  fulfilmentStatus: 'unfulfilled' as const,
  currency: 'EUR',
  lines: [],
  totalMinor: 2500,
  paidMinor: 2500,
  refundedMinor: 0,
  shippingCountry: null,
  createdAt: '2026-11-20T12:00:00.000Z',
  paymentDueAt: null,
  shipments: [],
};
const ids = { order_id: order.orderId, version: 4, currency: 'EUR' };
const id = order.customerId;

test.each<[string, SaleEvent, object]>([
  [
    'a created order counts on the day of its creation, whatever its total',
    { type: 'order.created', data: { order } },
    { day: '2026-11-20', orders: 1, revenue_minor: 0, refunds: 0, refunded_minor: 0 },
  ],
  [
    'a payment is revenue on the day it was paid, in UTC',
    {
      type: 'order.paid',
      data: { order, paymentId: id, amountMinor: 2500, paidAt: '2026-11-21T00:30:00.000+01:00' },
    },
    { day: '2026-11-20', orders: 0, revenue_minor: 2500, refunds: 0, refunded_minor: 0 },
  ],
  [
    'a refund counts on its own day and takes nothing from revenue',
    {
      type: 'order.refunded',
      data: { order, refundId: id, amountMinor: 700, reason: 'broken', refundedAt: '2026-12-01T08:00:00.000Z' },
    },
    { day: '2026-12-01', orders: 0, revenue_minor: 0, refunds: 1, refunded_minor: 700 },
  ],
])('%s', (_, event, row) => {
  expect(saleOf(event)).toEqual({ ...ids, ...row });
});
