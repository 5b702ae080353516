import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { killAtEachWrite } from '../support/killed.ts';
import { until } from '../support/until.ts';

let backends: Backends;
const others: RunningFunction[] = [];

beforeAll(async () => {
  backends = await startBackends({ consumer: (spec) => ({ ...spec, ackWait: '1s' }) });
  await backends.database.query(`insert into products values ('mug', 'Mug', 1250, 'EUR', 1000)`);
  for (const name of ['create-order', 'outbox-relay']) others.push(await startFunction(name, backends));
});

afterAll(async () => {
  for (const running of others.reverse()) await running.stop();
  await backends?.stop();
});

const send = (verb: string, command: object) =>
  backends.bus.publish(`command.order.${verb}`, JSON.stringify(command), {}, randomUUID());

const ordered = async (): Promise<string> => {
  const orderId = randomUUID();
  await send('create', { orderId, customerId: randomUUID(), lines: [{ sku: 'mug', quantity: 1 }] });
  const find = 'select from order_events where order_id = $1';
  await until('the order', async () => (await backends.database.query(find, [orderId])).rows.length === 1);
  return orderId;
};

/** What a query says of each of these orders: columns id and value. */
const byOrder = async (ids: readonly string[], text: string): Promise<unknown> => {
  const { rows } = await backends.database.query<{ id: string; value: unknown }>(text, [ids]);
  return Object.fromEntries(rows.map(({ id, value }) => [id, value]));
};
const each = <Value>(ids: readonly string[], value: Value) => Object.fromEntries(ids.map((id) => [id, value]));

const EVENTS = `select order_id as id, string_agg(type, ' ' order by version) as value from order_events
  where order_id = any($1) group by 1`;
const LEDGER = `select order_id as id, string_agg(amount_minor::text, ' ' order by moved_at) as value from provider_ledger
  where order_id = any($1) group by 1`;
const UNSETTLED = `select order_id as id, status as value from payments where order_id = any($1) and status <> 'settled'`;

const outboxIsEmpty = () =>
  until('the outbox to be empty', async () => (await backends.database.query('select from outbox')).rows.length === 0);

const told = async (what: string, ids: readonly string[]): Promise<string[]> =>
  (await backends.messages('ORDERS'))
    .map(({ subject }) => subject.split('.'))
    .flatMap(([, id, type]) => (id && type === what && ids.includes(id) ? [id] : []))
    .sort();

const stock = async (): Promise<number> => (await backends.database.query('select stock from products')).rows[0].stock;

test('pay-order killed before any of its writes: the money is taken once, and told once', async () => {
  const ids = await killAtEachWrite(backends, 'pay-order', async () => {
    const orderId = await ordered();
    await send('pay', { orderId, token: 'tok_ok', expectedVersion: 1 });
    return orderId;
  });
  await outboxIsEmpty();
  expect(await byOrder(ids, EVENTS)).toEqual(each(ids, 'order.created order.paid'));
  expect(await byOrder(ids, LEDGER)).toEqual(each(ids, '1250'));
  expect(await byOrder(ids, UNSETTLED)).toEqual({});
  expect(await told('paid', ids)).toEqual([...ids].sort());
}, 300_000);

test('refund-order killed before any of its writes: the money and the stock go back once, told once', async () => {
  const payOrder = await startFunction('pay-order', backends);
  others.push(payOrder);
  const before = await stock();
  const ids = await killAtEachWrite(backends, 'refund-order', async () => {
    const orderId = await ordered();
    await send('pay', { orderId, token: 'tok_ok' });
    await until('the payment', async () => (await told('paid', [orderId])).length === 1);
    await send('refund', { orderId });
    return orderId;
  });
  await outboxIsEmpty();
  expect(await byOrder(ids, EVENTS)).toEqual(each(ids, 'order.created order.paid order.refunded'));
  expect(await byOrder(ids, LEDGER)).toEqual(each(ids, '1250 -1250'));
  expect(await byOrder(ids, UNSETTLED)).toEqual({});
  expect(await told('refunded', ids)).toEqual([...ids].sort());
  expect(await stock()).toBe(before);
}, 300_000);
