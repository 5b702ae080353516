/** Events that order-view makes rows of a second, live and in a rebuild, beside the same upserts done raw in the same run. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { orderEvents } from '../../../../functions/orders/events.ts';
import { orders } from '../../../../functions/orders/order.ts';
import orderView from '../../../../functions/orders/order-view/function.ts';
import { rowOf } from '../../../../functions/orders/order-view/row.ts';
import { newId } from '../../../../functions/runtime/ids.ts';
import type { Row as ViewRow } from '../../../../functions/runtime/projector.ts';
import { publishedData } from '../../../../functions/runtime/store/schema-versions.ts';
import { rebuild } from '../../../operate/rebuild/rebuild.ts';
import { type Cleanup, openCleanup } from '../../../platform/servers/cleanup.ts';
import { startBundle } from '../measure/bundle.ts';
import { openPlace, type Place } from '../measure/place.ts';
import type { Part, Result } from '../part.ts';
import { median } from '../quantile.ts';

const LIVE = 10_000;
const STORED = 40_000;
const ROUNDS = 3;
const BATCH = 100;
const AT_ONCE = 500;
const MOST_MS = 60_000;

type Made = { readonly id: string; readonly event: object; readonly data: object; readonly row: ViewRow };

/** An order that was just created: its event as it is stored and published, and its row. */
function makeOrder(): Made {
  const id = newId();
  const line = { sku: 'mug', name: 'Mug', quantity: 2, unitPriceMinor: 1250, totalMinor: 2500 };
  const createdAt = new Date().toISOString();
  const about = { orderId: id, customerId: newId(), currency: 'EUR', shippingCountry: 'NL', createdAt };
  const stored = { ...about, lines: [line], totalMinor: 2500, paymentDueAt: createdAt };
  const event = { type: 'order.created', data: stored } as const;
  const data = publishedData(orders, event, orders.evolve(orders.initial, event), 1);
  return { id, event: stored, data, row: rowOf(orderEvents['order.created'].parse(data)) };
}

const make = (count: number): Made[] => Array.from({ length: count }, makeOrder);

const inBatches = <Item>(items: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));

/** Rows a second by the statement of a projector, one batch after another over one connection, the JSON ready made. */
async function rawPerSecond({ database }: Place): Promise<number> {
  await database.query('create table if not exists bench_view (like order_view including all)');
  const batches = inBatches(make(LIVE), BATCH).map((batch) => JSON.stringify(batch.map(({ row }) => row)));
  const columns = ['order_id', 'version', 'customer_id', 'status', 'created_at', '"order"'];
  const text = `insert into bench_view (${columns.join(', ')})
    select ${columns.join(', ')} from json_populate_recordset(null::bench_view, $1)
    on conflict (order_id) do update set ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}
    where bench_view.version < excluded.version`;
  const client = await database.connect();
  try {
    const began = performance.now();
    for (const batch of batches) await client.query({ name: 'bench-upsert', text, values: [batch] });
    return (LIVE / (performance.now() - began)) * 1_000;
  } finally {
    client.release();
  }
}

async function countOf({ database }: Place): Promise<number> {
  const { rows } = await database.query<{ count: number }>('select count(*)::int as count from order_view');
  return rows[0]?.count ?? 0;
}

/** Events that wait in the stream → rows of order-view, which starts when all are there; from the first row to the last. */
async function livePerSecond(place: Place): Promise<number> {
  const { bus } = place;
  const before = await countOf(place);
  for (const batch of inBatches(make(LIVE), AT_ONCE))
    await Promise.all(
      batch.map(({ id, data }) => {
        const eventId = newId();
        const headers = { 'ce-id': eventId, 'ce-type': 'order.created', 'ce-subject': id, 'ce-source': '/millrace' };
        return bus.publish(`order.${id}.created`, JSON.stringify(data), headers, eventId);
      }),
    );
  const cleanup = openCleanup();
  try {
    await startBundle(place, 'order-view', cleanup);
    let [first, firstAt] = [0, performance.now()];
    for (const end = Date.now() + MOST_MS; ; await delay(5)) {
      const done = (await countOf(place)) - before;
      const now = performance.now();
      if (first === 0 && done > 0) [first, firstAt] = [done, now];
      if (done === LIVE) return ((LIVE - first) / (now - firstAt)) * 1_000;
      if (done > LIVE || Date.now() > end) throw new Error(`of ${LIVE} events there are ${done} rows`);
    }
  } finally {
    await cleanup.unwind();
  }
}

/** Messages a second that a function's way to the bus pulls and acknowledges, one by one as all do, when nothing is done with them. */
async function acknowledgedPerSecond({ bus }: Place, messages: number): Promise<number> {
  const [stream, consumer, inFlight] = ['ORDERS', 'bench', 384];
  const config = { durable_name: consumer, ack_policy: 'explicit', ack_wait: 30e9, max_ack_pending: 2_048 };
  await bus.api(`CONSUMER.CREATE.${stream}.${consumer}`, { stream_name: stream, config });
  const began = performance.now();
  await new Promise<void>((resolve) => {
    let left = messages;
    const pull = bus.pull({ stream, consumer, inFlight }, ({ ack }) => {
      ack();
      pull.done();
      left -= 1;
      if (left === 0) void pull.stop().then(resolve);
    });
  });
  await bus.flush();
  return (messages / (performance.now() - began)) * 1_000;
}

async function storeEvents({ database }: Place): Promise<void> {
  for (const batch of inBatches(make(STORED), 2_000)) {
    const rows = batch.map(({ id, event }) => ({ order_id: id, event_id: newId(), data: event, command_id: newId() }));
    await database.query(
      `insert into order_events (order_id, version, event_id, type, schema_version, data, command_id, actor, trace_id, occurred_at)
       select order_id, 1, event_id, 'order.created', 2, data, command_id, 'bench', '', now()
       from json_populate_recordset(null::order_events, $1)`,
      [JSON.stringify(rows)],
    );
  }
  await database.query('analyze');
}

async function run(cleanup: Cleanup): Promise<Result> {
  const place = await openPlace(['order-view'], cleanup);
  const [raw, live, again]: [number[], number[], number[]] = [[], [], []];
  await rawPerSecond(place);
  await place.database.query('analyze');
  for (let round = 0; round < ROUNDS; round += 1) {
    raw.push(await rawPerSecond(place));
    live.push(await livePerSecond(place));
  }
  const acknowledged = await acknowledgedPerSecond(place, ROUNDS * LIVE);
  await storeEvents(place);
  const pool = new pg.Pool({ connectionString: place.environment.DATABASE_URL, max: 3 });
  cleanup.add('pool', () => pool.end());
  await place.database.query('truncate order_view');
  for (let round = 0; round < ROUNDS; round += 1) {
    raw.push(await rawPerSecond(place));
    const { events, rows, seconds } = await rebuild(pool, orderView, () => undefined);
    if (events !== STORED || rows !== STORED) throw new Error(`${STORED} events gave ${rows} rows of ${events} events`);
    again.push(events / seconds);
  }
  const baseline = { what: `upserts in batches of ${BATCH}, raw`, value: median(raw) };
  const reach = { is: 'at least', ratio: 0.7 } as const;
  return {
    rows: [
      { what: 'order-view, live, from a full stream', value: median(live), unit: 'events/s', baseline, reach },
      { what: 'pulled and acknowledged, nothing done', value: acknowledged, unit: 'events/s', baseline },
      { what: 'order-view, rebuild', value: median(again), unit: 'events/s', baseline, reach },
    ],
    notes: [
      'Nothing trades durability: Postgres with fsync and synchronous_commit, JetStream with sync_interval: always. ' +
        'One event an order, each with its row once; the raw rows are JSON before the clock starts, in a table with the same indexes.',
    ],
  };
}

export const projector: Part = {
  name: 'projector',
  about: 'Events that a projector makes rows of a second, live and in a rebuild',
  run,
};
