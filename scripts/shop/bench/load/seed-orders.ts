/** Many orders at once, made by Postgres itself from one that the code of orders has made: events, commands and read model. */
import { orders } from '../../../../functions/orders/order.ts';
import { fold } from '../../../../functions/runtime/aggregate.ts';
import { type Database, transaction } from '../../../../functions/runtime/postgres.ts';
import { schemaVersionOf } from '../../../../functions/runtime/store/schema-versions.ts';

/** Each has as many orders as any other. */
export const CUSTOMERS = 100;

const hex = (number: number): string => number.toString(16).padStart(12, '0');
/** As those of new orders, one after another. */
export const orderIdOf = (number: number): string => `01900000-0000-7000-8000-${hex(number)}`;
/** The customer of every order whose number leaves this rest. */
export const customerIdOf = (number: number): string => `01900000-0000-7000-9000-${hex(number % CUSTOMERS)}`;

const ID = '{id}';
const CUSTOMER = '{customer}';
const TIME = '{time}';

const created = {
  type: 'order.created',
  data: {
    orderId: ID,
    customerId: CUSTOMER,
    currency: 'EUR',
    lines: [
      { sku: 'mug', name: 'Mug', quantity: 2, unitPriceMinor: 1250, totalMinor: 2500 },
      { sku: 'tea', name: 'Black tea, loose, 250 g', quantity: 1, unitPriceMinor: 890, totalMinor: 890 },
    ],
    totalMinor: 3390,
    shippingCountry: 'NL',
    createdAt: TIME,
    paymentDueAt: null,
  },
} as const;

/** SQL of a table with a row an order of numbers $1 to $2; `stored` and `shown` are $3 and $4 with what is its own. */
const NUMBERED = `select id, customer, at, ${['stored', 'shown']
  .map(
    (name, index) =>
      `replace(replace(replace($${index + 3}, '${ID}', id::text), '${CUSTOMER}', customer::text), '${TIME}', said)::json as ${name}`,
  )
  .join(', ')}
  from (select
      ('01900000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid as id,
      ('01900000-0000-7000-9000-' || lpad(to_hex(number % ${CUSTOMERS}), 12, '0'))::uuid as customer,
      timestamptz '2026-01-01T00:00:00Z' + number * interval '1 second' as at,
      to_char(timestamp '2026-01-01' + number * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS".000Z"') as said
    from generate_series($1::integer, $2::integer - 1) number) numbers`;

const VIEW = `insert into order_view (order_id, version, customer_id, status, created_at, "order")
  select id, 1, customer, 'open', at, shown from numbered`;
const STORE = `events as (
    insert into order_events (order_id, version, event_id, type, schema_version, data, command_id, actor, trace_id, correlation_id, occurred_at)
    select id, 1, id::text, '${created.type}', ${schemaVersionOf(orders, created.type)}, stored, id, customer::text, md5(id::text), id, at from numbered
  ), answered as (
    insert into commands (command_id, type, fingerprint, aggregate_id, version)
    select id, 'command.order.create', 'seeded', id, 1 from numbered
  )`;

/** A statement's: a query may take 10 s. */
const AT_ONCE = 50_000;

/** Orders of numbers `from` to before `to`: rows of order_view, and with `stored` their events and commands too. */
export async function seedOrders(database: Database, from: number, to: number, stored: boolean): Promise<void> {
  const data = [created.data, orders.publish(fold(orders, [created]), 1)].map((each) => JSON.stringify(each));
  const text = `with numbered as materialized (${NUMBERED})${stored ? `, ${STORE}` : ''} ${VIEW}`;
  await transaction(database, async (client) => {
    await client.query('set local synchronous_commit = off');
    for (let next = from; next < to; next += AT_ONCE)
      await client.query(text, [next, Math.min(to, next + AT_ONCE), ...data]);
  });
  for (const table of ['order_view', ...(stored ? ['order_events', 'commands'] : [])])
    await database.query(`analyze ${table}`);
}

/** Orders of numbers `from` to before `to`, with one event until now, get so many in all: a payment, and refunds of a cent. */
export async function growOrders(database: Database, from: number, to: number, events: number): Promise<void> {
  const time = '2026-11-20T12:00:00.000Z';
  const paid = { paymentId: orderIdOf(0), amountMinor: 3390, paidAt: time };
  const refunded = { refundId: orderIdOf(0), amountMinor: 1, reason: 'bench', refundedAt: time };
  await database.query(
    `insert into order_events (order_id, version, event_id, type, schema_version, data, command_id, actor, trace_id, correlation_id, occurred_at)
     select order_id, number, order_id || '-' || number, case number when 2 then 'order.paid' else 'order.refunded' end,
       case number when 2 then $3::integer else $4::integer end, case number when 2 then $5::json else $6::json end,
       order_id, actor, trace_id, correlation_id, occurred_at
     from order_events cross join generate_series(2, $7::integer) number
     where order_id >= $1 and order_id < $2 and version = 1`,
    [
      orderIdOf(from),
      orderIdOf(to),
      schemaVersionOf(orders, 'order.paid'),
      schemaVersionOf(orders, 'order.refunded'),
      JSON.stringify(paid),
      JSON.stringify(refunded),
      events,
    ],
  );
  await database.query('analyze order_events');
}
