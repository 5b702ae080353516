import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { exampleOrder, publishCreated } from '../support/orders.ts';
import { until } from '../support/until.ts';

let backends: Backends;
let running: RunningFunction | undefined;

beforeAll(async () => {
  backends = await startBackends();
});

afterAll(async () => {
  await running?.stop();
  await backends?.stop();
});

test('a function that is pushed to leaves its consumers alone, and one that pulls takes what they hold', async () => {
  const [waiting, pushed] = [exampleOrder(), exampleOrder()];
  await publishCreated(backends.bus, waiting);
  running = await startFunction('order-view', backends, { env: { DELIVERY: 'push' } });
  const event = { specversion: '1.0', id: randomUUID(), source: '/test', type: 'order.created' };
  const response = await fetch(running.url, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({ ...event, data: { order: pushed } }),
  });
  expect(response.status).toBe(204);
  const rows = async () =>
    (await backends.database.query('select order_id from order_view')).rows.map((row) => row.order_id);
  expect(await rows()).toEqual([pushed.orderId]);
  expect(await backends.undone('ORDERS', 'order-view')).toBe(1);
  await running.stop();

  running = await startFunction('order-view', backends);
  await until('the event that waited', async () => (await rows()).includes(waiting.orderId));
});
