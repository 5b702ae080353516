import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { exampleOrder } from '../support/orders.ts';
import { until } from '../support/until.ts';

let backends: Backends;
let salesView: RunningFunction;

beforeAll(async () => {
  backends = await startBackends();
  salesView = await startFunction('sales-view', backends);
});

afterAll(async () => {
  await salesView?.stop();
  await backends?.stop();
});

test('each event is one row, in whatever order and however often it comes', async () => {
  const order = exampleOrder();
  const refundOf = (version: number, amountMinor: number) => ({
    what: 'refunded',
    data: {
      order: { ...order, version },
      refundId: randomUUID(),
      amountMinor,
      reason: 'broken',
      refundedAt: '2026-11-22T09:00:00.000Z',
    },
  });
  const paid = {
    order: { ...order, version: 2 },
    paymentId: randomUUID(),
    amountMinor: 2500,
    paidAt: '2026-11-21T09:00:00.000Z',
  };
  const events = [
    { what: 'created', data: { order } },
    { what: 'paid', data: paid },
    refundOf(3, 700),
    refundOf(4, 300),
  ];
  for (const { what, data } of [...events.toReversed(), ...events])
    await backends.bus.publish(`order.${order.orderId}.${what}`, JSON.stringify(data), {}, randomUUID());
  await until('all events to be projected', async () => (await backends.undone('ORDERS', 'sales-view')) === 0);
  const { rows } = await backends.database.query(
    `select version, day::text, currency, orders, revenue_minor::integer, refunds, refunded_minor::integer
     from sales_view where order_id = $1 order by version`,
    [order.orderId],
  );
  const nothing = { currency: 'EUR', orders: 0, revenue_minor: 0, refunds: 0, refunded_minor: 0 };
  expect(rows).toEqual([
    { ...nothing, version: 1, day: '2026-11-20', orders: 1 },
    { ...nothing, version: 2, day: '2026-11-21', revenue_minor: 2500 },
    { ...nothing, version: 3, day: '2026-11-22', refunds: 1, refunded_minor: 700 },
    { ...nothing, version: 4, day: '2026-11-22', refunds: 1, refunded_minor: 300 },
  ]);
});
