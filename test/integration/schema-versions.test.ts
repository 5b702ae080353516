import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OrderEvent, orders } from '../../functions/orders/order.ts';
import { fold } from '../../functions/runtime/aggregate.ts';
import { readHistory } from '../../functions/runtime/history.ts';
import { openEventStore } from '../../functions/runtime/store/event-store.ts';
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

/** As code before schema versions wrote it: without the column, whose default is the first schema version. */
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

const appendOf = (orderId: string, expectedVersion: number, snapshotVersion = 0) => ({
  aggregateId: orderId,
  expectedVersion,
  snapshotVersion,
  command: { id: randomUUID(), type: 'command.test', fingerprint: '', actor: 'test' },
  now: new Date().toISOString(),
  trace: continueTrace(undefined),
  correlationId: randomUUID(),
});

test('an order stored in the first schema version is loaded in the newest, and goes on', async () => {
  const orderId = randomUUID();
  await storeAsBefore(orderId);
  const store = openEventStore(backends.database, orders);
  const { state } = await store.load(orderId, randomUUID());
  expect(state).toMatchObject({ ...createdBefore(orderId), status: 'open', paymentDueAt: null });
  const [message] = await store.append(state, { ...appendOf(orderId, 1), events: [cancelled] });
  expect(message?.data).toMatchObject({ order: { version: 2, status: 'cancelled', paymentDueAt: null } });
});

test('the history of an order stored in the first schema version is told in the newest', async () => {
  const orderId = randomUUID();
  await storeAsBefore(orderId);
  const [told] = await readHistory(backends.database, orders, orderId);
  expect(told?.event).toEqual({ type: 'order.created', data: { ...createdBefore(orderId), paymentDueAt: null } });
});

test('an event is stored with its schema version, and published with the urn of it', async () => {
  const orderId = randomUUID();
  const data = { ...createdBefore(orderId), paymentDueAt: '2026-11-20T12:30:00.000Z' };
  const store = openEventStore(backends.database, orders);
  const events = [{ type: 'order.created', data } as const, cancelled];
  const messages = await store.append(orders.initial, { ...appendOf(orderId, 0), events });
  const { rows } = await backends.database.query(
    'select type, schema_version as "schemaVersion" from order_events where order_id = $1 order by version',
    [orderId],
  );
  expect(rows).toEqual([
    { type: 'order.created', schemaVersion: 2 },
    { type: 'order.cancelled', schemaVersion: 1 },
  ]);
  expect(messages.map(({ headers }) => headers['ce-dataschema'])).toEqual([
    'urn:millrace:order.created:2',
    'urn:millrace:order.cancelled:1',
  ]);
});

test('an order with an event in a newer schema version is not folded: the load says that newer code is needed', async () => {
  const orderId = randomUUID();
  await storeAsBefore(orderId);
  await backends.database.query('update order_events set schema_version = 3 where order_id = $1', [orderId]);
  const load = openEventStore(backends.database, orders).load(orderId, randomUUID());
  await expect(load).rejects.toMatchObject({ code: 'unavailable', slug: 'newer-event' });
  await expect(load).rejects.toThrow(`Event 1 of order ${orderId} is stored as order.created@3; this code knows`);
});

const cent = (): OrderEvent => ({
  type: 'order.refunded',
  data: { refundId: randomUUID(), amountMinor: 1, reason: 'test', refundedAt: '2026-11-20T12:05:00.000Z' },
});

const paid: OrderEvent = {
  type: 'order.paid',
  data: { paymentId: randomUUID(), amountMinor: 2500, paidAt: '2026-11-20T12:01:00.000Z' },
};

/** An order with so many events, as commands with one event each store them; gives their ids, and all events. */
async function grow(orderId: string, versions: number) {
  const created = { ...createdBefore(orderId), paymentDueAt: null };
  const more = Array.from({ length: versions - 2 }, cent);
  const events: readonly OrderEvent[] = [{ type: 'order.created', data: created }, paid, ...more];
  const store = openEventStore(backends.database, orders);
  const ids: string[] = [];
  for (const event of events) {
    const command = { id: randomUUID(), type: 'command.test', fingerprint: '', actor: 'test' };
    const { state, version, snapshotVersion } = await store.load(orderId, command.id);
    await store.append(state, { ...appendOf(orderId, version, snapshotVersion), command, events: [event] });
    ids.push(command.id);
  }
  return { store, ids, events };
}

const snapshotOf = async (orderId: string) =>
  (
    await backends.database.query(
      'select version, schema_version as "schemaVersion" from order_snapshots where order_id = $1',
      [orderId],
    )
  ).rows;

test('of an order with a snapshot only the events since are read, and a command of before finds the order as it was', async () => {
  const orderId = randomUUID();
  const { store, ids, events } = await grow(orderId, 205);
  expect(await snapshotOf(orderId)).toEqual([{ version: 200, schemaVersion: orders.schemaVersion }]);
  for (const version of [7, 199, 200, 203]) {
    const { state, record } = await store.load(orderId, ids[version - 1] ?? '');
    expect({ version: record?.version, state }).toEqual({ version, state: fold(orders, events.slice(0, version)) });
  }
  await backends.database.query('delete from order_events where order_id = $1 and version <= 200', [orderId]);
  const loaded = await store.load(orderId, randomUUID());
  expect(loaded).toMatchObject({ state: fold(orders, events), version: 205, snapshotVersion: 200 });
});

test.each([
  ['deleted', 'delete from order_snapshots where order_id = $1'],
  ['of another schema version', `update order_snapshots set schema_version = 9, state = '{}' where order_id = $1`],
])(
  'without its snapshot, %s, an order is made of all its events, and the next append keeps it again',
  async (_, sql) => {
    const orderId = randomUUID();
    const { store, events } = await grow(orderId, 101);
    await backends.database.query(sql, [orderId]);
    const { state, ...loaded } = await store.load(orderId, randomUUID());
    expect({ state, ...loaded }).toMatchObject({ state: fold(orders, events), version: 101, snapshotVersion: 0 });
    await store.append(state, { ...appendOf(orderId, 101), events: [cent()] });
    expect(await snapshotOf(orderId)).toEqual([{ version: 102, schemaVersion: orders.schemaVersion }]);
  },
);

test('a snapshot never goes back, and what is not stored leaves none', async () => {
  const orderId = randomUUID();
  const { store, events } = await grow(orderId, 101);
  const late = store.append(fold(orders, events.slice(0, 99)), { ...appendOf(orderId, 99), events: [cent(), cent()] });
  await expect(late).rejects.toMatchObject({ code: 'conflict' });
  await backends.database.query('update order_snapshots set version = 500 where order_id = $1', [orderId]);
  await store.append(fold(orders, events), { ...appendOf(orderId, 101), events: [cent()] });
  expect(await snapshotOf(orderId)).toEqual([{ version: 500, schemaVersion: orders.schemaVersion }]);
});
