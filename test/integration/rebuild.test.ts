import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PublicOrder } from '../../functions/orders/events.ts';
import { orders } from '../../functions/orders/order.ts';
import orderView from '../../functions/orders/order-view/function.ts';
import salesView from '../../functions/orders/sales-view/function.ts';
import type { WrittenEvent } from '../../functions/runtime/store/schema-versions.ts';
import { rebuild } from '../../scripts/operate/rebuild/rebuild.ts';
import { readContexts } from '../../scripts/registry/contexts.ts';
import { keepHistory, readCorpus } from '../../scripts/registry/corpus.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { foldAll } from '../support/fold.ts';
import { until } from '../support/until.ts';

const corpus = (await readContexts()).filter(({ name }) => name === 'orders').flatMap((context) => readCorpus(context));

let backends: Backends;
let database: pg.Pool;
let lines: string[];
const say = (line: string): void => void lines.push(line);

beforeAll(async () => {
  backends = await startBackends();
  database = new pg.Pool({ connectionString: backends.databaseUrl, max: 4 });
});

beforeEach(() => {
  lines = [];
});

afterEach(async () => {
  await database.query('truncate order_events, order_view, sales_view');
});

afterAll(async () => {
  await database?.end();
  await backends?.stop();
});

async function store(id: string, events: readonly WrittenEvent[]): Promise<void> {
  const rows = events.map((event) => ({ ...event, id }));
  await database.query(
    `insert into order_events (order_id, version, event_id, type, schema_version, data, command_id, actor, trace_id, occurred_at)
     select id, version, gen_random_uuid(), type, "schemaVersion", data, gen_random_uuid(), 'test', 'test', now()
     from json_to_recordset($1) as row (id uuid, version int, type text, "schemaVersion" int, data json)`,
    [JSON.stringify(rows)],
  );
}

/** Orders of the corpus, in the store; what each of them is according to the corpus. */
async function storeCorpus(): Promise<object[]> {
  const kept = corpus.map(({ after, events }) => ({ order: after as PublicOrder, events }));
  for (const { order, events } of kept) await store(order.orderId, events);
  return kept.map(({ order }) => order).sort((a, b) => a.orderId.localeCompare(b.orderId));
}

const viewed = async (): Promise<object[]> =>
  (await database.query('select "order" from order_view order by order_id')).rows.map((row) => row.order);

test('order_view is built anew from events in every form: a row an order, as the corpus says', async () => {
  const expected = await storeCorpus();
  await database.query(`insert into order_view values (gen_random_uuid(), 1, gen_random_uuid(), 'open', now(), '{}')`);
  const { rows, events } = await rebuild(database, orderView, say);
  expect({ rows, events }).toEqual({ rows: expected.length, events: (await foldAll(database, orders)).length });
  expect(await viewed()).toEqual(expected);
  expect(lines.join('\n')).toContain(`compared with the live rows: 0 are the same, 0 differ, ${rows} are new`);
  expect(lines.join('\n')).toContain('1 rows were live of which order_events knows nothing; they are not kept');
});

test('sales_view is built anew with a row for each event that it counts', async () => {
  await storeCorpus();
  const counted = (await foldAll(database, orders)).filter(({ type }) => salesView.consumes.includes(type));
  await salesView.write(database, counted);
  const live = await database.query('select * from sales_view order by order_id, version');
  expect(live.rows).toHaveLength(counted.length);
  await database.query(
    `update sales_view set revenue_minor = 1 where order_id = (select order_id from sales_view limit 1) and version = 1`,
  );
  await rebuild(database, salesView, say);
  expect((await database.query('select * from sales_view order by order_id, version')).rows).toEqual(live.rows);
  expect(lines.join('\n')).toContain(`${counted.length - 1} are the same, 1 differ, 0 are new`);
});

test('an order of the database is kept as the corpus has it, under a name that is not taken', async () => {
  await storeCorpus();
  const root = mkdtempSync(path.join(os.tmpdir(), 'millrace-corpus-'));
  try {
    for (const { name, context, declared, after } of corpus) {
      const keep = () => keepHistory(database, context, declared, (after as PublicOrder).orderId, name, root);
      const file = await keep();
      const { about: _, ...written } = JSON.parse(readFileSync(path.join(repository, file), 'utf8'));
      expect(JSON.parse(readFileSync(path.join(root, file), 'utf8'))).toMatchObject(written);
      await expect(keep()).rejects.toThrow(`${file} is there already`);
      await expect(keepHistory(database, context, declared, 'lost', name, root)).rejects.toThrow('has no order lost');
    }
  } finally {
    rmSync(root, { recursive: true });
  }
});

const SHAPE = `
  select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = $1::regclass
  union all select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index where indrelid = $1::regclass
  union all select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = $1::regclass and attnum > 0
  union all select relowner::regrole::text, relacl::text from pg_class where oid = $1::regclass
  order by 1, 2`;

test('the new table has the indexes, constraints, owner and rights of the old one, by the same names', async () => {
  await storeCorpus();
  await database.query(`create role rebuild_reader; grant select on order_view to rebuild_reader with grant option;
    grant select, insert on order_view to public`);
  const before = await database.query(SHAPE, ['order_view']);
  await rebuild(database, orderView, say);
  expect((await database.query(SHAPE, ['order_view'])).rows).toEqual(before.rows);
  await database.query('drop owned by rebuild_reader; drop role rebuild_reader; revoke all on order_view from public');
});

const tables = async (): Promise<string[]> =>
  (await database.query(`select relname from pg_class where relname like '%rebuild%'`)).rows.map((row) => row.relname);

test('an event that only newer code can read ends the rebuild, and the live table is as it was', async () => {
  const expected = await storeCorpus();
  await rebuild(database, orderView, say);
  await database.query(`update order_events set schema_version = 9 where type = 'order.paid'`);
  await expect(rebuild(database, orderView, say)).rejects.toMatchObject({ slug: 'newer-event' });
  expect(await viewed()).toEqual(expected);
  expect(await tables()).toEqual([]);
});

test('what a rebuild that was killed has left does not matter; a second one beside it is refused', async () => {
  const expected = await storeCorpus();
  await database.query('create table order_view_rebuild (left_over int)');
  const other = new pg.Pool({ connectionString: backends.databaseUrl });
  // The swap waits for this reader: until then the first is at it.
  const reader = await other.connect();
  await reader.query('begin; select from order_view');
  const first = rebuild(database, orderView, say);
  await until('the lock of the first', async () => {
    const { rows } = await other.query(
      `select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
    );
    return rows.length > 0;
  });
  await expect(rebuild(other, orderView, say)).rejects.toThrow('order_view is being rebuilt by another process');
  await reader.query('commit');
  reader.release();
  await first;
  await other.end();
  expect(await viewed()).toEqual(expected);
});

test('a long transaction that reads the table holds the swap back, not other readers for long, and then it is done', async () => {
  const expected = await storeCorpus();
  const reader = new pg.Client(backends.databaseUrl);
  await reader.connect();
  await reader.query('begin');
  await reader.query('select 1 from order_view');
  const rebuilt = rebuild(database, orderView, say);
  rebuilt.catch(() => undefined);
  try {
    await until('another try', () => lines.some((line) => line.includes('a long transaction uses order_view')));
  } finally {
    await reader.end();
  }
  await rebuilt;
  expect(await viewed()).toEqual(expected);
});
