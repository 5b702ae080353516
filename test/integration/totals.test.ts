import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ORDERS, orderEvents } from '../../functions/orders/events.ts';
import { orders } from '../../functions/orders/order.ts';
import { retriesOf, retrySubject } from '../../functions/runtime/handling/retries.ts';
import { natsSettings } from '../../functions/runtime/jetstream/connection.ts';
import { databaseSettings } from '../../functions/runtime/postgres.ts';
import { openEventStore } from '../../functions/runtime/store/event-store.ts';
import { totals } from '../../functions/runtime/totals.ts';
import { USERS, userEvents } from '../../functions/users/events.ts';
import { rebuild } from '../../scripts/operate/rebuild/rebuild.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { foldAll } from '../support/fold.ts';
import { exampleOrder } from '../support/orders.ts';
import { testShell } from '../support/shell.ts';
import { until } from '../support/until.ts';

/** What customers have spent, in the stream of an event store. */
const spending = totals({
  stream: ORDERS,
  accepts: { 'order.created': orderEvents['order.created'], 'order.refunded': orderEvents['order.refunded'] },
  table: 'customer_spending',
  key: ['customer_id', 'currency'],
  amounts: ['orders', 'spent_minor'],
  adds({ type, data }) {
    const { customerId: customer_id, currency, totalMinor } = data.order;
    if (type === 'order.created') return { customer_id, currency, orders: 1, spent_minor: totalMinor };
    return { customer_id, currency, spent_minor: -data.amountMinor };
  },
});

/** New users a day, in a stream that nothing else keeps. */
const signUps = totals({
  stream: USERS,
  accepts: { 'user.created': userEvents['user.created'] },
  table: 'sign_ups',
  key: ['day'],
  amounts: ['users'],
  adds: ({ data }) => ({ day: data.createdAt.slice(0, 10), users: 1 }),
});

const TABLES = `
  create table customer_spending (customer_id uuid, currency text, orders integer not null default 0,
    spent_minor bigint not null default 0, primary key (customer_id, currency));
  create table customer_spending_applied (event_id text primary key);
  create table sign_ups (day date primary key, users bigint not null default 0);
  create table sign_ups_applied (event_id text primary key)`;

let backends: Backends;
let database: pg.Pool;
let lines: string[];
const say = (line: string): void => void lines.push(line);

beforeAll(async () => {
  backends = await startBackends();
  database = new pg.Pool({ connectionString: backends.databaseUrl, max: 6 });
  await database.query(TABLES);
});

beforeEach(() => {
  lines = [];
});

afterEach(async () => {
  await database.query('truncate order_events, customer_spending, customer_spending_applied');
});

afterAll(async () => {
  await database?.end();
  await backends?.stop();
});

const CUSTOMERS: readonly string[] = Array.from({ length: 3 }, () => randomUUID());

type Spent = { readonly customer: number; readonly currency: string; readonly minor: number; readonly refund: boolean };

function eventOf({ customer, currency, minor, refund }: Spent) {
  const order = { ...exampleOrder(), customerId: CUSTOMERS[customer], currency, totalMinor: minor };
  const refunded = { refundId: randomUUID(), amountMinor: minor, reason: 'broken', refundedAt: order.createdAt };
  return refund
    ? { id: randomUUID(), type: 'order.refunded', data: { order, ...refunded } }
    : { id: randomUUID(), type: 'order.created', data: { order } };
}

type SpentRow = { customer_id: string; currency: string; orders: number; spent_minor: number };

const sorted = (rows: SpentRow[]): SpentRow[] =>
  rows.sort((a, b) => `${a.customer_id}${a.currency}`.localeCompare(`${b.customer_id}${b.currency}`));

const spendingNow = async (): Promise<SpentRow[]> =>
  sorted((await database.query('select customer_id, currency, orders, spent_minor::int from customer_spending')).rows);

function plainSum(all: readonly Spent[]): SpentRow[] {
  const sums = new Map<string, SpentRow>();
  for (const { customer, currency, minor, refund } of all) {
    const customer_id = CUSTOMERS[customer] ?? '';
    const before = sums.get(customer_id + currency) ?? { customer_id, currency, orders: 0, spent_minor: 0 };
    const orders = before.orders + (refund ? 0 : 1);
    sums.set(customer_id + currency, {
      ...before,
      orders,
      spent_minor: before.spent_minor + (refund ? -minor : minor),
    });
  }
  return sorted([...sums.values()]);
}

const spent = fc.record({
  customer: fc.nat(2),
  currency: fc.constantFrom('EUR', 'USD'),
  minor: fc.nat(10_000),
  refund: fc.boolean(),
});

/** What comes: events by their place among all, again and again; how they are cut into batches, and which of these fail at first. */
const deliveries = (events: number) =>
  fc.array(fc.record({ batch: fc.array(fc.nat(events - 1), { maxLength: 8 }), fails: fc.boolean() }), { maxLength: 8 });

test('repeats, disorder, batches of two replicas at the same time and failures in between: the totals are the plain sum', async () => {
  const cases = fc
    .array(spent, { minLength: 1, maxLength: 12 })
    .chain((all) =>
      fc.tuple(
        fc.constant(all),
        deliveries(all.length),
        fc.shuffledSubarray([...all.keys()], { minLength: all.length }),
      ),
    );
  await fc.assert(
    fc.asyncProperty(cases, async ([all, some, order]) => {
      await database.query('truncate customer_spending, customer_spending_applied');
      const events = all.map(eventOf);
      const write = async (places: readonly number[], fails: boolean): Promise<void> => {
        const client = await database.connect();
        await client.query('begin');
        await spending.write(
          client,
          places.flatMap((place) => events[place] ?? []),
        );
        await client.query(fails ? 'rollback' : 'commit');
        client.release();
        if (fails) await write(places, false);
      };
      const replica = async (mine: typeof some): Promise<void> => {
        for (const { batch, fails } of mine) await write(batch, fails);
      };
      const rest = [{ batch: order, fails: false }];
      await Promise.all([replica([...some, ...rest]), replica([...some.toReversed(), ...rest])]);
      expect(await spendingNow()).toEqual(plainSum(all));
    }),
    { numRuns: 60 },
  );
});

const ORDERS_BEFORE = 3_000;

/** Stores an order of a customer, as its handler would; gives it as it is published. */
async function storeOrder(customer: number) {
  const [orderId, createdAt] = [randomUUID(), '2026-11-20T12:00:00.000Z'];
  const about = { orderId, customerId: CUSTOMERS[customer] ?? '', currency: 'EUR', shippingCountry: 'NL', createdAt };
  const data = { ...about, lines: [], totalMinor: 100 + customer, paymentDueAt: null };
  const id = randomUUID();
  await database.query(
    `insert into order_events (order_id, version, event_id, type, schema_version, data, command_id, actor, trace_id, occurred_at)
     values ($1, 1, $2, 'order.created', 2, $3, gen_random_uuid(), 'test', 'test', now())`,
    [orderId, id, data],
  );
  const order = orders.publish(orders.evolve(orders.initial, { type: 'order.created', data }), 1);
  return { id, type: 'order.created', data: { order } };
}

const FILL = `
  insert into order_events (order_id, version, event_id, type, schema_version, data, command_id, actor, trace_id, occurred_at)
  select id, 1, gen_random_uuid(), 'order.created', 2, json_build_object('orderId', id, 'customerId', $1::text, 'currency', 'EUR',
    'lines', '[]'::json, 'totalMinor', 100, 'shippingCountry', null, 'createdAt', '2026-11-20T12:00:00.000Z', 'paymentDueAt', null),
    gen_random_uuid(), 'test', 'test', now()
  from (select gen_random_uuid() as id from generate_series(1, ${ORDERS_BEFORE})) as seed`;

/** The totals of all that is stored. */
const storedSum = async (): Promise<SpentRow[]> =>
  plainSum(
    (await foldAll(database, orders)).map(({ after }) => {
      const { customerId, currency, totalMinor } = orderEvents['order.created'].parse({ order: after }).order;
      return { customer: CUSTOMERS.indexOf(customerId), currency, minor: totalMinor, refund: false };
    }),
  );

test('a rebuild while orders go on: wrong totals are right again, and each order counts once, whenever it comes', async () => {
  await database.query(FILL, [CUSTOMERS[0]]);
  const before = await foldAll(database, orders);
  for (let from = 0; from < before.length; from += 500) await spending.write(database, before.slice(from, from + 500));
  await database.query(`update customer_spending set spent_minor = 1`);
  await spending.write(database, [eventOf({ customer: 2, currency: 'USD', minor: 5, refund: false })]);

  let going = true;
  let came = 0;
  const late: Awaited<ReturnType<typeof storeOrder>>[] = [];
  const keepOrdering = async (): Promise<void> => {
    for (; going; came += 1) {
      const event = await storeOrder(1 + (came % 2));
      // Of three, one comes to the projector at once, one after the rebuild, and one both times.
      const when = came % 3;
      if (when !== 1) await spending.write(database, [event]);
      if (when !== 0) late.push(event);
    }
  };
  const ordering = keepOrdering();
  await until('orders to come', async () => came > 10);
  const cameBefore = came;
  const { events } = await rebuild(database, spending, say);
  const comeBy = came;
  expect(comeBy).toBeGreaterThan(cameBefore);
  await until('orders to come after it', async () => came > comeBy + 10);
  going = false;
  await ordering;
  await spending.write(database, late.toReversed());

  expect(events).toBeGreaterThanOrEqual(ORDERS_BEFORE);
  expect(await spendingNow()).toEqual(await storedSum());
  expect(lines.join('\n')).toContain('1 events were added of which order_events knows nothing; they are not kept');
  const left = await database.query(`select relname from pg_class where relname like '%rebuild%'`);
  expect(left.rows).toEqual([]);
});

const createdAt = (day: number): string => `2026-11-${10 + day}T12:00:00.000Z`;

async function signUp(day: number, messageId: string): Promise<void> {
  const userId = randomUUID();
  const data = JSON.stringify({ userId, createdAt: createdAt(day) });
  await backends.bus.publish(`user.${userId}.created`, data, messageId ? { 'ce-id': messageId } : {}, randomUUID());
}

const days = async (): Promise<object> =>
  Object.fromEntries(
    (await database.query('select day::text, users::int from sign_ups order by day')).rows.map(({ day, users }) => [
      day,
      users,
    ]),
  );

test('events that only their stream keeps are counted live, and by a rebuild from the stream, with and without ids', async () => {
  const name = 'sign-ups';
  const make = (stream: string, consumer: string, filter: string) =>
    backends.bus.api(`CONSUMER.CREATE.${stream}.${consumer}`, {
      stream_name: stream,
      config: { durable_name: consumer, ack_policy: 'explicit', ack_wait: 30e9, filter_subject: filter },
    });
  await make(USERS, name, 'user.*.created');
  await make('RETRIES', retriesOf(name), retrySubject(name));
  const settings = { ...natsSettings, ...databaseSettings };
  const environment = { NATS_URL: backends.natsUrl, DATABASE_URL: backends.databaseUrl };
  const { shell, close } = testShell(settings, environment, name);
  const running = await signUps.start(shell);
  const done = () => until('sign-ups to be counted', async () => (await backends.undone(USERS, name)) === 0);
  try {
    await signUp(1, '');
    await signUp(1, 'twice');
    await signUp(1, 'twice');
    await signUp(2, 'once');
    await backends.bus.publish(`user.${randomUUID()}.created`, '{}', {}, randomUUID());
    await backends.bus.publish(`user.${randomUUID()}.suspended`, 'no JSON', {}, randomUUID());
    await done();
    const counted = { '2026-11-11': 2, '2026-11-12': 1 };
    expect(await days()).toEqual(counted);

    await database.query('update sign_ups set users = 7');
    expect(await rebuild(database, signUps, say, async () => backends.bus)).toMatchObject({ rows: 2, events: 6 });
    expect(await days()).toEqual(counted);
    await signUp(2, 'once');
    await signUp(3, 'new');
    await done();
    expect(await days()).toEqual({ ...counted, '2026-11-13': 1 });
    expect(lines).toContain('  reads stream USERS');
  } finally {
    await running.drain();
    await close();
  }
});

test('a stream that no context has, and a table that no migration has made, are errors that say what to do', async () => {
  await database.query(
    `create table parcel_events (like order_events); alter table parcel_events rename order_id to parcel_id`,
  );
  const parcels = openEventStore(database, { ...orders, name: 'parcel' });
  await expect(parcels.load(randomUUID(), randomUUID())).rejects.toMatchObject({
    slug: 'missing-table',
    message: 'relation "parcel_snapshots" does not exist: make it by a migration, and run the migrations',
  });
  await expect(rebuild(database, { ...signUps, stream: 'PARCELS' }, say)).rejects.toThrow(
    "No context has the stream PARCELS: declare `stream: { name: 'PARCELS', … }`",
  );
  const lacking = totals({
    ...spending,
    accepts: {},
    key: ['day'],
    amounts: ['parcels'],
    table: 'parcels',
    adds: () => undefined,
  });
  await expect(lacking.write(database, [])).rejects.toMatchObject({
    slug: 'missing-table',
    message: 'relation "parcels_applied" does not exist: make it by a migration, and run the migrations',
  });
});
