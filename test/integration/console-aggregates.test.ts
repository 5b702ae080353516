import { afterAll, beforeAll, expect, test } from 'vitest';
import { orders } from '../../functions/orders/order.ts';
import { newId } from '../../functions/runtime/ids.ts';
import { newestStreams, readVersions } from '../../scripts/platform/console/aggregates.ts';
import { lateRows, readModels } from '../../scripts/platform/console/read-models.ts';
import { type Backends, startBackends } from '../support/backends.ts';

let backends: Backends;
const [first, second] = [newId(), newId()];

const CREATED = {
  ...{ customerId: newId(), currency: 'EUR', lines: [], totalMinor: 0, shippingCountry: null },
  ...{ createdAt: '2026-05-03T12:00:00.000Z', paymentDueAt: null },
};
const CANCELLED = { reason: 'changed my mind', cancelledAt: '2026-05-03T12:03:00.000Z' };

async function append(orderId: string, version: number, type: string, data: object, minute: number): Promise<void> {
  await backends.database.query(
    `insert into order_events (order_id, version, event_id, type, schema_version, data, command_id, actor, trace_id, occurred_at)
     values ($1, $2, $3, $4, $5, $6, $7, 'ada', 'trace', $8)`,
    [
      ...[orderId, version, newId(), type, orders.upcasters[type as keyof typeof orders.upcasters].length + 1],
      ...[data, newId(), `2026-05-03T12:0${minute}:00Z`],
    ],
  );
}

beforeAll(async () => {
  backends = await startBackends();
  await append(first, 1, 'order.created', { ...CREATED, orderId: first }, 0);
  await append(second, 1, 'order.created', { ...CREATED, orderId: second }, 1);
  await append(first, 2, 'order.cancelled', CANCELLED, 3);
});

afterAll(() => backends?.stop());

test('the stream that changed last comes first, with its newest event and when it began', async () => {
  const { streams, more } = await newestStreams(backends.database, orders);
  expect(streams).toMatchObject([
    { id: first, version: 2, type: 'order.cancelled', actor: 'ada', began: '2026-05-03T12:00:00.000Z' },
    { id: second, version: 1, type: 'order.created', changed: '2026-05-03T12:01:00.000Z' },
  ]);
  expect(more).toBe(false);
});

test('a read model whose row is older than the events is late, until it has the newest', async () => {
  const { database } = backends;
  const { versions } = await readVersions(database, orders, first);
  expect(versions.map(({ state }) => state.status)).toEqual(['open', 'cancelled']);
  const late = async () => lateRows(database, await readModels(), orders.name, first, versions);
  expect(await late()).toEqual([{ table: 'order_view', version: 0 }]);
  await database.query(
    `insert into order_view (order_id, version, customer_id, status, created_at, "order")
     values ($1, 1, $2, 'open', now(), '{}')`,
    [first, CREATED.customerId],
  );
  expect(await late()).toEqual([{ table: 'order_view', version: 1 }]);
  await database.query('update order_view set version = 2 where order_id = $1', [first]);
  expect(await late()).toEqual([]);
});
