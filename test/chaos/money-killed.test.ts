import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { killAtEachWrite } from '../support/killed.ts';
import { each, type OrderFacts, openOrderFacts } from '../support/order-facts.ts';
import { until } from '../support/until.ts';

let backends: Backends;
let orders: OrderFacts;
const others: RunningFunction[] = [];

beforeAll(async () => {
  backends = await startBackends({ consumer: (spec) => ({ ...spec, ackWait: '1s' }) });
  orders = await openOrderFacts(backends);
  for (const name of ['create-order', 'outbox-relay']) others.push(await startFunction(name, backends));
});

afterAll(async () => {
  for (const running of others.reverse()) await running.stop();
  await backends?.stop();
});

const LEDGER = `select order_id as id, string_agg(amount_minor::text, ' ' order by moved_at) as value from provider_ledger
  where order_id = any($1) group by 1`;
const UNSETTLED = `select order_id as id, status as value from payments where order_id = any($1) and status <> 'settled'`;

test('pay-order killed before any of its writes: the money is taken once, and told once', async () => {
  const ids = await killAtEachWrite(backends, 'pay-order', async () => {
    const orderId = await orders.ordered();
    await orders.send('pay', { orderId, token: 'tok_ok', expectedVersion: 1 });
    return orderId;
  });
  await orders.outboxIsEmpty();
  expect(await orders.events(ids)).toEqual(each(ids, 'order.created order.paid'));
  expect(await orders.byOrder(ids, LEDGER)).toEqual(each(ids, '1250'));
  expect(await orders.byOrder(ids, UNSETTLED)).toEqual({});
  expect(await orders.told('paid', ids)).toEqual([...ids].sort());
}, 300_000);

test('refund-order killed before any of its writes: the money and the stock go back once, told once', async () => {
  const payOrder = await startFunction('pay-order', backends);
  others.push(payOrder);
  const before = await orders.stock();
  const ids = await killAtEachWrite(backends, 'refund-order', async () => {
    const orderId = await orders.ordered();
    await orders.send('pay', { orderId, token: 'tok_ok' });
    await until('the payment', async () => (await orders.told('paid', [orderId])).length === 1);
    await orders.send('refund', { orderId });
    return orderId;
  });
  await orders.outboxIsEmpty();
  expect(await orders.events(ids)).toEqual(each(ids, 'order.created order.paid order.refunded'));
  expect(await orders.byOrder(ids, LEDGER)).toEqual(each(ids, '1250 -1250'));
  expect(await orders.byOrder(ids, UNSETTLED)).toEqual({});
  expect(await orders.told('refunded', ids)).toEqual([...ids].sort());
  expect(await orders.stock()).toBe(before);
}, 300_000);
