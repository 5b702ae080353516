import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { orders } from '../../functions/orders/order.ts';
import { openEventStore } from '../../functions/runtime/event-store.ts';
import { readHistory } from '../../functions/runtime/history.ts';
import { continueTrace } from '../../functions/runtime/trace.ts';
import { type Backends, startBackends } from '../support/backends.ts';

let backends: Backends;

beforeAll(async () => {
  backends = await startBackends();
});

afterAll(async () => {
  await backends?.stop();
});

const createdBefore = (orderId: string) => ({
  orderId,
  customerId: '0190b6a0-0000-7000-8000-000000000001',
  currency: 'EUR',
  lines: [{ sku: 'mug', name: 'Mug', quantity: 2, unitPriceMinor: 1250, totalMinor: 2500 }],
  totalMinor: 2500,
  shippingCountry: 'NL',
  createdAt: '2026-11-20T12:00:00.000Z',
});

/** As code before forms wrote it: without the column, whose default is the first form. */
async function storeAsBefore(orderId: string): Promise<void> {
  await backends.database.query(
    `insert into order_events (order_id, version, event_id, type, data, command_id, actor, trace_id, occurred_at)
     values ($1, 1, $2, 'order.created', $3, $4, 'test', 'test', now())`,
    [orderId, randomUUID(), JSON.stringify(createdBefore(orderId)), randomUUID()],
  );
}

const cancelled = {
  type: 'order.cancelled',
  data: { reason: 'test', cancelledAt: '2026-11-20T12:05:00.000Z' },
} as const;

const appendOf = (orderId: string, expectedVersion: number) => ({
  aggregateId: orderId,
  expectedVersion,
  command: { id: randomUUID(), type: 'command.test', fingerprint: '', actor: 'test' },
  now: new Date().toISOString(),
  trace: continueTrace(undefined),
  correlationId: randomUUID(),
});

test('an order stored in the first form is loaded in the newest, and goes on', async () => {
  const orderId = randomUUID();
  await storeAsBefore(orderId);
  const store = openEventStore(backends.database, orders);
  const { events } = await store.load(orderId, randomUUID());
  expect(events).toEqual([{ type: 'order.created', data: { ...createdBefore(orderId), paymentDueAt: null } }]);
  const state = events.reduce(orders.evolve, orders.initial);
  const [message] = await store.append(state, { ...appendOf(orderId, 1), events: [cancelled] });
  expect(message?.data).toMatchObject({ order: { version: 2, status: 'cancelled', paymentDueAt: null } });
});

test('the history of an order stored in the first form is told in the newest', async () => {
  const orderId = randomUUID();
  await storeAsBefore(orderId);
  const [told] = await readHistory(backends.database, orders, orderId);
  expect(told?.event).toEqual({ type: 'order.created', data: { ...createdBefore(orderId), paymentDueAt: null } });
});

test('an event is stored with its form, and published with the urn of it', async () => {
  const orderId = randomUUID();
  const data = { ...createdBefore(orderId), paymentDueAt: '2026-11-20T12:30:00.000Z' };
  const store = openEventStore(backends.database, orders);
  const events = [{ type: 'order.created', data } as const, cancelled];
  const messages = await store.append(orders.initial, { ...appendOf(orderId, 0), events });
  const { rows } = await backends.database.query(
    'select type, schema_version as form from order_events where order_id = $1 order by version',
    [orderId],
  );
  expect(rows).toEqual([
    { type: 'order.created', form: 2 },
    { type: 'order.cancelled', form: 1 },
  ]);
  expect(messages.map(({ headers }) => headers['ce-dataschema'])).toEqual([
    'urn:millrace:order.created:2',
    'urn:millrace:order.cancelled:1',
  ]);
});

test('an order with an event in a newer form is not folded: the load says that newer code is needed', async () => {
  const orderId = randomUUID();
  await storeAsBefore(orderId);
  await backends.database.query('update order_events set schema_version = 3 where order_id = $1', [orderId]);
  const load = openEventStore(backends.database, orders).load(orderId, randomUUID());
  await expect(load).rejects.toMatchObject({ code: 'unavailable', slug: 'newer-event' });
  await expect(load).rejects.toThrow(`Event 1 of order ${orderId} is stored as order.created@3; this code knows`);
});
