import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { orders } from '../../functions/orders/order.ts';
import orderView from '../../functions/orders/order-view/function.ts';
import salesView from '../../functions/orders/sales-view/function.ts';
import { rebuild } from '../../scripts/operate/rebuild/rebuild.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { foldAll } from '../support/fold.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { until } from '../support/until.ts';

let backends: Backends;
let database: pg.Pool;
let functions: RunningFunction[] = [];

beforeAll(async () => {
  backends = await startBackends();
  database = new pg.Pool({ connectionString: backends.databaseUrl, max: 4 });
  await database.query(`insert into products values ('mug', 'Mug', 1250, 'EUR', 1000000)`);
  const names = ['create-order', 'cancel-order', 'order-view', 'sales-view'];
  functions = await Promise.all(names.map((name) => startFunction(name, backends)));
});

afterAll(async () => {
  for (const one of functions) await one.stop();
  await database?.end();
  await backends?.stop();
});

const ORDERS = 100_000;

/** Every order is created; every third one is paid, every sixth then cancelled and refunded. */
const FILL = `
  with seed as (select n, gen_random_uuid() as id from generate_series(1, ${ORDERS}) n)
  insert into order_events (order_id, version, event_id, type, schema_version, data, command_id, actor, trace_id, occurred_at)
  select id, version, gen_random_uuid(), type, "schemaVersion", data, gen_random_uuid(), 'test', 'test', '2026-11-20T12:00:00Z'
  from seed cross join lateral (values
    (1, 'order.created', 1 + n % 2, json_build_object('orderId', id, 'customerId', gen_random_uuid(), 'currency', 'EUR',
      'lines', json_build_array(json_build_object('sku', 'mug', 'name', 'Mug', 'quantity', 2, 'unitPriceMinor', 1250, 'totalMinor', 2500)),
      'totalMinor', 2500, 'shippingCountry', 'NL', 'createdAt', '2026-11-20T12:00:00.000Z', 'paymentDueAt', '2026-11-20T12:30:00.000Z')),
    (2, 'order.paid', 1, json_build_object('paymentId', gen_random_uuid(), 'amountMinor', 2500, 'paidAt', '2026-11-20T12:01:00.000Z')),
    (3, 'order.cancelled', 1, json_build_object('reason', 'requested', 'cancelledAt', '2026-11-20T12:02:00.000Z')),
    (4, 'order.refunded', 1, json_build_object('refundId', gen_random_uuid(), 'amountMinor', 2500, 'reason', 'cancelled', 'refundedAt', '2026-11-20T12:03:00.000Z'))
  ) as event (version, type, "schemaVersion", data)
  where version = 1 or version = 2 and n % 3 = 0 or n % 6 = 0`;

/** Sends CreateOrder, then CancelOrder for every other order, until it is stopped; gives the ids of the orders. */
function keepOrdering(): { stop(): Promise<string[]> } {
  const ids: string[] = [];
  let going = true;
  const send = (type: string, data: object) => backends.bus.publish(type, JSON.stringify(data), {}, randomUUID());
  const loop = async (): Promise<void> => {
    while (going) {
      const orderId = randomUUID();
      await send('command.order.create', { orderId, customerId: randomUUID(), lines: [{ sku: 'mug', quantity: 1 }] });
      ids.push(orderId);
      // Far enough back to be there: at most 50 are waited for at a time.
      const earlier = ids.at(-100);
      if (earlier && ids.length % 2 === 0) await send('command.order.cancel', { orderId: earlier });
      await turn();
      if (ids.length % 10 === 0)
        await until('the handlers to keep up', async () => (await backends.undone('COMMANDS', 'create-order')) < 50);
    }
  };
  const done = loop();
  const stop = async (): Promise<string[]> => {
    going = false;
    await done;
    return ids;
  };
  onTestFinished(() => void stop().catch(() => undefined));
  return { stop };
}

/** Reads one order by a prepared statement, again and again, as queries-api does; gives how often. */
function keepReading(orderId: string): { stop(): Promise<number> } {
  const client = new pg.Client(backends.databaseUrl);
  let [going, reads] = [true, 0];
  const loop = async (): Promise<void> => {
    await client.connect();
    while (going) {
      const query = {
        name: 'one-order',
        text: 'select version, "order" from order_view where order_id = $1',
        values: [orderId],
      };
      const { rows } = await client.query(query);
      expect(rows).toHaveLength(1);
      reads += 1;
    }
  };
  const done = loop().finally(() => client.end());
  done.catch(() => undefined);
  const stop = async (): Promise<number> => {
    going = false;
    await done;
    return reads;
  };
  onTestFinished(() => void stop().catch(() => undefined));
  return { stop };
}

/** Orders in the view: that many have come in. */
const viewHas = (count: number) =>
  until(`${count} orders in the view`, async () => {
    const { rows } = await database.query('select 1 from order_view offset $1 limit 1', [count - 1]);
    return rows.length > 0;
  });

/** The rows that order_view had before the rebuild, written the plain way; gives rows a second. */
async function fillView(): Promise<{ rate: number; ids: string[] }> {
  const newest = new Map((await foldAll(database, orders)).map((event) => [event.aggregateId, event]));
  const events = [...newest.values()];
  const began = performance.now();
  for (let from = 0; from < events.length; from += 1_000)
    await orderView.write(database, events.slice(from, from + 1_000));
  return { rate: events.length / ((performance.now() - began) / 1_000), ids: [...newest.keys()] };
}

async function drained(): Promise<void> {
  for (const name of ['create-order', 'cancel-order'])
    await until(`${name} to be done`, async () => (await backends.undone('COMMANDS', name)) === 0);
  for (const name of ['order-view', 'sales-view'])
    await until(`${name} to be done`, async () => (await backends.undone('ORDERS', name)) === 0);
}

/** Orders that the view shows otherwise than the fold, or not at all, or too many. */
async function wrongOrders(folded: Awaited<ReturnType<typeof foldAll>>): Promise<string[]> {
  const { rows } = await database.query<{ id: string; order: object }>(
    'select order_id as id, "order" from order_view',
  );
  const viewed = new Map(rows.map(({ id, order }) => [id, order]));
  const newest = new Map(folded.map(({ aggregateId, after }) => [aggregateId, after]));
  const ids = [...new Set([...viewed.keys(), ...newest.keys()])];
  return ids.filter((id) => !isDeepStrictEqual(viewed.get(id), newest.get(id)));
}

test(`the view of ${ORDERS} orders is rebuilt while orders go on: all of it equals the fold at the end`, async () => {
  await database.query(FILL);
  await database.query('analyze order_events');
  const plain = await fillView();
  const [one = ''] = plain.ids;
  await database.query(`update order_view set status = 'expired', "order" = '{}' where order_id = $1`, [one]);
  const lines: string[] = [];

  const ordering = keepOrdering();
  const reading = keepReading(one);
  await viewHas(ORDERS + 50);
  const built = await rebuild(database, orderView, (line) => void lines.push(line));
  const sales = await rebuild(database, salesView, () => undefined);
  await viewHas(built.rows + 100);
  const reads = await reading.stop();
  const ids = await ordering.stop();
  await drained();

  const folded = await foldAll(database, orders);
  expect(folded.length).toBeGreaterThan(built.events);
  expect(await wrongOrders(folded)).toEqual([]);
  const counted = folded.filter(({ type }) => salesView.consumes.includes(type)).length;
  expect((await database.query('select count(*)::int as n from sales_view')).rows).toEqual([{ n: counted }]);
  expect(lines.join('\n')).toMatch(/compared with the live rows: \d+ are the same, 1 differ, /);
  expect(await backends.messages('DEAD_LETTERS')).toEqual([]);
  expect(functions.flatMap((fn) => fn.lines.filter((line) => /"level":"?(warn|error|[456]0)/.test(line)))).toEqual([]);

  const rate = built.rows / built.seconds;
  const perSecond = (count: number, seconds: number): string => `${Math.round(count / seconds)}`;
  console.log(
    [
      ...lines,
      `rebuild of order_view: ${Math.round(rate)} rows a second, while ${ids.length} orders came and ${reads} reads went on`,
      `plain batched upsert of the same rows: ${Math.round(plain.rate)} rows a second; ratio ${(rate / plain.rate).toFixed(2)}`,
      `rebuild of sales_view: ${perSecond(sales.events, sales.seconds)} events a second`,
    ].join('\n'),
  );
}, 180_000);
