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

test.each<[string, object, Record<string, string>]>([
  ['an attribute', { millracereplay: true }, {}],
  ['a header', {}, { 'millrace-replay': 'true' }],
])('a pushed event that is marked as a replay by %s sends nothing', async (_, attributes, headers) => {
  const away = { USER_SERVICE_ADDRESS: '127.0.0.1:1', SMTP_URL: 'smtp://127.0.0.1:1' };
  await running?.stop();
  running = await startFunction('order-emails', backends, { env: { DELIVERY: 'push', ...away } });
  const { url } = running;
  const push = async (id: string, marks: object, more: Record<string, string>) => {
    const event = { specversion: '1.0', id, source: '/test', type: 'order.created', data: { order: exampleOrder() } };
    const headers = { 'content-type': 'application/cloudevents+json', ...more };
    return (await fetch(url, { method: 'POST', headers, body: JSON.stringify({ ...event, ...marks }) })).status;
  };
  const [marked, unmarked] = [randomUUID(), randomUUID()];
  expect(await push(marked, attributes, headers)).toBe(204);
  expect(await push(unmarked, { millracereplay: 'false' }, {})).toBe(503);
  const text = 'select event_id from notifications where event_id = any($1)';
  expect((await backends.database.query(text, [[marked, unmarked]])).rows).toEqual([{ event_id: unmarked }]);
});
