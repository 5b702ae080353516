import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { exampleOrder, publishCreated } from '../support/orders.ts';
import { until } from '../support/until.ts';

let backends: Backends;
let orderView: RunningFunction;

beforeAll(async () => {
  backends = await startBackends();
  orderView = await startFunction('order-view', backends);
});

afterAll(async () => {
  await orderView?.stop();
  await backends?.stop();
});

const drained = () =>
  until('all events to be projected', async () => (await backends.undone('ORDERS', 'order-view')) === 0);
const rowOf = async (orderId: string) =>
  (await backends.database.query('select * from order_view where order_id = $1', [orderId])).rows[0];

test('an event becomes a row that can be read as it is', async () => {
  const order = exampleOrder();
  await publishCreated(backends.bus, order);
  await drained();
  expect(await rowOf(order.orderId)).toMatchObject({
    version: 1,
    customer_id: order.customerId,
    status: 'open',
    order,
  });
});

test('a newer version wins, in whatever order and however often the events come', async () => {
  const order = exampleOrder();
  const at = (version: number) => ({ ...order, version, totalMinor: version });
  for (const version of [3, 1, 5, 2, 5, 4]) await publishCreated(backends.bus, at(version));
  await drained();
  expect((await rowOf(order.orderId)).order).toEqual(at(5));
  await publishCreated(backends.bus, at(4));
  await drained();
  expect((await rowOf(order.orderId)).order).toEqual(at(5));
});

test('many events at once end in one row an order, at its newest version', async () => {
  const orders = Array.from({ length: 40 }, () => exampleOrder());
  const events = orders.flatMap((order) => [4, 2, 3, 1].map((version) => ({ ...order, version })));
  await Promise.all(events.map((order) => publishCreated(backends.bus, order)));
  await drained();
  const ids = orders.map(({ orderId }) => orderId);
  const { rows } = await backends.database.query('select version from order_view where order_id = any($1)', [ids]);
  expect(rows.map(({ version }) => version)).toEqual(Array(40).fill(4));
});

test('an event that is not as promised becomes a dead letter, and the others go on', async () => {
  const [good, bad] = [exampleOrder(), exampleOrder({ version: 0 })];
  await publishCreated(backends.bus, bad);
  await publishCreated(backends.bus, good);
  await drained();
  expect(await rowOf(good.orderId)).toBeDefined();
  const [letter, ...more] = await backends.messages('DEAD_LETTERS');
  expect(more).toEqual([]);
  expect(letter).toMatchObject({ subject: 'dead.order-view', data: JSON.stringify({ order: bad }) });
  expect(letter?.headers).toContain('millrace-error: invalid-event');
});

test('while Postgres ends every connection, events wait and none is lost', async () => {
  const orders = Array.from({ length: 20 }, () => exampleOrder());
  for (const order of orders) {
    await backends.database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'order-view' and datname = current_database()`,
    );
    await publishCreated(backends.bus, order);
  }
  await drained();
  for (const { orderId } of orders) expect(await rowOf(orderId)).toBeDefined();
  expect(await backends.messages('DEAD_LETTERS')).toHaveLength(1);
});
