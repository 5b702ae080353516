/** `npm run bench -- growth`: whether an append and a read take longer as an order has more events, and the store more orders. */
import { performance } from 'node:perf_hooks';
import pg from 'pg';
import type { Database } from '../../../../functions/runtime/postgres.ts';
import type { Plot } from '../../../operate/scale/svg.ts';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import { migrate } from '../../../platform/servers/postgres/migrate.ts';
import { type Work, workOf } from '../load/order-work.ts';
import { growOrders, seedOrders } from '../load/seed-orders.ts';
import { openPlace } from '../measure/place.ts';
import type { Part, Result, Row } from '../part.ts';
import { median } from '../quantile.ts';

const STORES = [10_000, 100_000, 1_000_000];
const EVENTS = [10, 100, 1_000];
/** Orders with so many events each: what is appended to one of them must not make it another size. */
const GROWN = 50;
const TURNS = 300;
const WARM_UP = 50;
/** Orders at the beginning of each store are kept for those that have grown. */
const FIRST = GROWN * EVENTS.length;

/** One turn of each in turn, so that what else the machine does hits all; the median of each, in ms. */
async function timed(each: readonly ((turn: number) => Promise<void>)[]): Promise<number[]> {
  const took: number[][] = each.map(() => []);
  for (let turn = 0; turn < WARM_UP + TURNS; turn += 1)
    for (const [index, work] of each.entries()) {
      const began = performance.now();
      await work(turn);
      if (turn >= WARM_UP) took[index]?.push(performance.now() - began);
    }
  return took.map(median);
}

type Curve = { readonly what: Work; readonly ms: readonly number[] };

function rowsOf({ what, ms }: Curve, sizes: readonly number[], unit: string, judged: boolean): Row[] {
  const [least = 0, ...more] = sizes;
  return more.map((size, index) => ({
    what: `${what} at ${size.toLocaleString('en')} ${unit}, p50`,
    value: ms[index + 1] ?? Number.NaN,
    unit: 'ms',
    baseline: { what: `at ${least.toLocaleString('en')}`, value: ms[0] ?? Number.NaN },
    ...(judged ? { reach: { is: 'at most', ratio: 1.5 } as const } : {}),
  }));
}

const plotOf = (name: string, label: string, sizes: readonly number[], curves: readonly Curve[]): Plot => ({
  name,
  title: `Latency by ${label}`,
  x: { label, logarithmic: true },
  y: { label: 'p50, ms' },
  series: curves.map(({ what, ms }) => ({
    name: what,
    points: sizes.map((size, index) => [size, ms[index] ?? Number.NaN]),
  })),
});

/** Databases of one server, one with each number of orders. */
async function openStores(url: string, cleanup: Cleanup): Promise<Database[]> {
  const stores: Database[] = [];
  for (const size of STORES) {
    const at = new URL(url);
    at.pathname = `/orders_${size}`;
    const server = new pg.Client({ connectionString: url });
    await server.connect();
    await server.query(`create database orders_${size}`);
    await server.end();
    await migrate(at.href);
    const database = new pg.Pool({ connectionString: at.href, max: 4 });
    database.on('error', () => undefined);
    cleanup.add(`connections to ${size} orders`, () => database.end());
    await seedOrders(database, 0, size, true);
    stores.push(database);
  }
  return stores;
}

async function byEvents(database: Database): Promise<Curve[]> {
  for (const [index, events] of EVENTS.entries())
    await growOrders(database, index * GROWN, (index + 1) * GROWN, events);
  const work = workOf(database);
  const all: readonly Work[] = ['append to an order', 'read an order', 'read an order as it was'];
  const measured: Curve[] = [];
  for (const what of all)
    measured.push({
      what,
      ms: await timed(EVENTS.map((_, index) => (turn) => work[what](index * GROWN + (turn % GROWN)))),
    });
  return measured;
}

async function byOrders(stores: readonly Database[]): Promise<Curve[]> {
  const works = stores.map(workOf);
  const all: readonly Work[] = ['append to an order', 'read an order', 'read a page of 20'];
  const measured: Curve[] = [];
  for (const what of all) {
    const each = works.map((work, index) => {
      const among = (STORES[index] ?? 0) - FIRST;
      // Far apart, and the same in each run.
      return (turn: number) => work[what](FIRST + ((turn * 7_919) % among));
    });
    measured.push({ what, ms: await timed(each) });
  }
  return measured;
}

async function run(cleanup: Cleanup): Promise<Result> {
  const place = await openPlace([], cleanup);
  const stores = await openStores(place.environment.DATABASE_URL ?? '', cleanup);
  const events = await byEvents(stores[1] ?? place.database);
  const many = await byOrders(stores);
  return {
    rows: [
      ...events.flatMap((curve) => rowsOf(curve, EVENTS, 'events an order', curve.what !== 'read an order as it was')),
      ...many.flatMap((curve) => rowsOf(curve, STORES, 'orders', true)),
    ],
    plots: [
      plotOf('growth-events', 'events an order', EVENTS, events),
      plotOf('growth-orders', 'orders in the store', STORES, many),
    ],
    notes: [
      'one call at a time, in turn with those of the other sizes; an append loads the snapshot and the events since, folds them and stores one more, fsync on; orders grow without snapshots, and those of 1,000 events get theirs by the first append',
      'an order as it was is made of all its events: its time grows with them, and nothing else waits for it',
    ],
  };
}

export const growth: Part = {
  name: 'growth',
  about: 'latency of appends and reads by events an order and by orders in the store, against the smallest',
  run,
};
