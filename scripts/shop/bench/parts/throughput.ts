/** Durable orders a second, from their commands to their rows, beside single inserts over one connection in the same run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../../../functions/runtime/postgres.ts';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import { startBundle } from '../measure/bundle.ts';
import { openPlace, type Place } from '../measure/place.ts';
import type { Part, Result } from '../part.ts';
import { median } from '../quantile.ts';

const WARM_UP = 3_000;
const ORDERS = 8_000;
const ROUNDS = 3;
const IN_FLIGHT = 256;
const BASELINE_MS = 2_000;
const MOST_MS = 60_000;
const POLL_MS = 10;
const PRODUCTS = 100;
const STOCK = 1_000_000;

const now = (): number => performance.timeOrigin + performance.now();

/** Committed inserts of one row a second, one after another over one connection, prepared. */
async function insertsPerSecond(database: Database): Promise<number> {
  const client = await database.connect();
  try {
    await client.query('create table if not exists bench_inserts (id bigint primary key, data json not null)');
    const { rows } = await client.query<{ next: string }>('select coalesce(max(id), 0) + 1 as next from bench_inserts');
    const first = Number(rows[0]?.next);
    const data = JSON.stringify({ sku: 'sku-1', quantity: 1, note: 'x'.repeat(300) });
    const began = now();
    let id = first;
    for (; now() < began + BASELINE_MS; id += 1)
      await client.query({
        name: 'bench-insert',
        text: 'insert into bench_inserts values ($1, $2)',
        values: [id, data],
      });
    return ((id - first) / (now() - began)) * 1_000;
  } finally {
    client.release();
  }
}

const countOf = async (database: Database, table: string): Promise<number> => {
  const { rows } = await database.query<{ count: number }>(`select count(*)::int as count from ${table}`);
  return rows[0]?.count ?? 0;
};

/** Orders a second from the first command to the last row. */
async function ordersPerSecond({ database, environment }: Place, orders: number): Promise<number> {
  const before = await countOf(database, 'order_view');
  const script = path.join(import.meta.dirname, '../load/order-load.ts');
  const child = spawn(process.execPath, [script, String(orders), String(IN_FLIGHT)], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error('the load failed');
  const { began } = JSON.parse(said) as { began: number };
  for (
    const end = Date.now() + MOST_MS;
    (await countOf(database, 'order_view')) < before + orders;
    await delay(POLL_MS)
  )
    if (Date.now() > end) throw new Error('rows are missing in order_view');
  return (orders / (now() - began)) * 1_000;
}

/** Throws unless each order is stored, published and projected once, and its stock taken once. */
async function check({ bus, database }: Place, orders: number): Promise<void> {
  for (const end = Date.now() + MOST_MS; (await countOf(database, 'outbox')) > 0; await delay(POLL_MS))
    if (Date.now() > end) throw new Error('rows stay in the outbox');
  const { rows } = await database.query<{ sold: number }>(
    `select ${STOCK} * count(*)::int - sum(stock)::int as sold from products where sku like 'sku-%'`,
  );
  const { state } = await bus.api<{ state: { messages: number } }>('STREAM.INFO.ORDERS');
  const counted = {
    events: await countOf(database, 'order_events'),
    commands: await countOf(database, 'commands'),
    rows: await countOf(database, 'order_view'),
    sold: rows[0]?.sold ?? 0,
    published: state.messages,
  };
  const wrong = Object.entries(counted).find(([, count]) => count !== orders);
  if (wrong) throw new Error(`${orders} orders were made, and there are ${wrong[1]} ${wrong[0]}`);
}

async function run(cleanup: Cleanup): Promise<Result> {
  const place = await openPlace(['create-order', 'order-view'], cleanup);
  const { database } = place;
  await database.query(
    `insert into products select 'sku-' || n, 'Product ' || n, 100 + n, 'EUR', ${STOCK} from generate_series(0, ${PRODUCTS - 1}) n`,
  );
  for (const name of ['create-order', 'order-view']) await startBundle(place, name, cleanup);
  await ordersPerSecond(place, WARM_UP);
  await database.query('analyze');
  const [inserts, orders]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    inserts.push(await insertsPerSecond(database));
    orders.push(await ordersPerSecond(place, ORDERS));
  }
  await check(place, WARM_UP + ROUNDS * ORDERS);
  return {
    rows: [
      {
        what: `orders from command to row, ${IN_FLIGHT} in flight`,
        value: median(orders),
        unit: 'orders/s',
        baseline: { what: 'single-row inserts over one connection', value: median(inserts) },
        reach: { is: 'at least', ratio: 0.5, stretch: 0.9 },
      },
    ],
    notes: [
      'Nothing trades durability: Postgres with fsync and synchronous_commit, JetStream with sync_interval: always. ' +
        `Every order was found stored, published and in its row once. Rounds: ${orders.map((one) => one.toFixed(0)).join(', ')} orders/s, ` +
        `${inserts.map((one) => one.toFixed(0)).join(', ')} inserts/s; client, server and load on the same machine; nothing recorded.`,
    ],
  };
}

export const throughput: Part = {
  name: 'throughput',
  about: 'Durable orders a second, from the command to the row of the read model',
  run,
};
