import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OrderEventOf, orders } from '../../functions/orders/order.ts';
import { moveStock } from '../../functions/orders/stock.ts';
import { refused } from '../../functions/runtime/errors.ts';
import type { Database } from '../../functions/runtime/postgres.ts';
import { openEventStore } from '../../functions/runtime/store/event-store.ts';
import { continueTrace } from '../../functions/runtime/trace.ts';
import { type Backends, startBackends } from '../support/backends.ts';

let backends: Backends;

beforeAll(async () => {
  backends = await startBackends();
  await backends.database.query(`insert into products (sku, name, price_minor, currency, stock) values
    ('hot', 'Hot', 100, 'EUR', 1000), ('scarce', 'Scarce', 100, 'EUR', 10)`);
});

afterAll(async () => {
  await backends?.stop();
});

/** A store, and the names of the statements that it has sent to Postgres. */
function openStore() {
  const sent: string[] = [];
  const query = (statement: { readonly name: string }) => {
    sent.push(statement.name);
    return backends.database.query(statement as never);
  };
  const store = openEventStore(Object.assign(Object.create(backends.database), { query }) as Database, orders);
  return { store, sent };
}

const created = (orderId: string, sku: string, quantity: number): OrderEventOf<'order.created'> => ({
  type: 'order.created',
  data: {
    orderId,
    customerId: randomUUID(),
    currency: 'EUR',
    lines: [{ sku, name: sku, quantity, unitPriceMinor: 100, totalMinor: 100 * quantity }],
    totalMinor: 100 * quantity,
    shippingCountry: null,
    createdAt: new Date().toISOString(),
    paymentDueAt: null,
  },
});

type Given = { readonly sku?: string; readonly quantity?: number; readonly commandId?: string; readonly no?: string };

function appendOf(orderId: string, { sku = 'hot', quantity = 1, commandId = randomUUID(), no }: Given = {}) {
  const events = no === undefined ? [created(orderId, sku, quantity)] : [];
  return {
    aggregateId: orderId,
    expectedVersion: 0,
    snapshotVersion: 0,
    command: { id: commandId, type: 'command.test', fingerprint: 'f', actor: 'test' },
    ...(no === undefined ? {} : { refusal: refused(no, no) }),
    events,
    writes: [moveStock(events, orders.initial)],
    now: new Date().toISOString(),
    trace: continueTrace(undefined),
    correlationId: randomUUID(),
  };
}

async function stockOf(sku: string): Promise<number> {
  const { rows } = await backends.database.query('select stock from products where sku = $1', [sku]);
  return rows[0].stock;
}

test('commands that wait are stored in one statement, each has its event, and a hot product gives what all take', async () => {
  const { store, sent } = openStore();
  const before = await stockOf('hot');
  const ids = Array.from({ length: 60 }, () => randomUUID());
  const messages = await Promise.all(
    ids.map((id, index) => store.append(orders.initial, appendOf(id, { quantity: 1 + (index % 3) }))),
  );
  expect(messages.map(([message]) => message?.subject)).toEqual(ids.map((id) => `order.${id}.created`));
  expect(sent).toEqual(['append-order-1', 'append-order-1']);
  expect(await stockOf('hot')).toBe(before - 120);
  const { rows } = await backends.database.query(
    `select order_id, event_id from order_events join outbox using (event_id) where order_id = any($1)`,
    [ids],
  );
  expect(rows).toHaveLength(60);
});

test('commands that wait are loaded in one statement, each with its own events, record and reads', async () => {
  const { store, sent } = openStore();
  const [known, refusedId, commandId] = [randomUUID(), randomUUID(), randomUUID()];
  await store.append(orders.initial, appendOf(known));
  await store.append(orders.initial, appendOf(refusedId, { commandId, no: 'not-now' }));
  sent.length = 0;
  const read = (input: unknown) => ({ sql: '$input', input });
  const loaded = await Promise.all([
    store.load(randomUUID(), randomUUID(), read('first')),
    store.load(known, randomUUID(), read('second')),
    store.load(refusedId, commandId, read('third')),
  ]);
  expect(sent).toEqual(['load-order', 'load-order']);
  expect(loaded.map(({ reads }) => reads)).toEqual(['first', 'second', 'third']);
  expect(loaded.map(({ state, version }) => [version, state.status])).toEqual([
    [0, 'none'],
    [1, 'open'],
    [0, 'none'],
  ]);
  expect(loaded.map(({ record }) => record?.refusal?.slug)).toEqual([undefined, undefined, 'not-now']);
});

test('what is refused, in conflict, repeated or more than there is ends by itself, and its neighbours are stored once', async () => {
  const { store } = openStore();
  const [taken, commandId] = [randomUUID(), randomUUID()];
  await store.append(orders.initial, appendOf(taken, { commandId }));
  const before = await stockOf('hot');
  const fine = Array.from({ length: 20 }, () => appendOf(randomUUID()));
  const no = appendOf(randomUUID(), { no: 'not-today' });
  const odd = [
    appendOf(taken),
    appendOf(randomUUID(), { commandId }),
    appendOf(randomUUID(), { sku: 'scarce', quantity: 11 }),
  ];
  const all = [...fine.slice(0, 9), ...odd, no, ...fine.slice(9)];
  const ends = await Promise.allSettled(all.map((append) => store.append(orders.initial, append)));
  const failed = all.filter((_, index) => ends[index]?.status === 'rejected');
  expect(failed).toEqual(odd);
  for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'conflict' });
  expect(await stockOf('hot')).toBe(before - 20);
  expect(await stockOf('scarce')).toBe(10);
  const ids = all.map(({ aggregateId }) => aggregateId).filter((id) => id !== taken);
  const { rows } = await backends.database.query('select order_id from order_events where order_id = any($1)', [ids]);
  expect(rows.map(({ order_id }) => order_id).sort()).toEqual(fine.map(({ aggregateId }) => aggregateId).sort());
  const { record } = await store.load(no.aggregateId, no.command.id);
  expect(record).toMatchObject({ version: 0, refusal: { slug: 'not-today' } });
});
