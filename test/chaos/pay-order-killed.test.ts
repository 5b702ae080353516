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

test('pay-order killed before any of its writes: the money is taken once, and told once', async () => {
  const orders = await killAtEachWrite(backends, 'pay-order', async () => {
    const orderId = randomUUID();
    await send('create', { orderId, customerId: randomUUID(), lines: [{ sku: 'mug', quantity: 1 }] });
    const find = 'select from order_events where order_id = $1';
    await until('the order', async () => (await backends.database.query(find, [orderId])).rows.length === 1);
    await send('pay', { orderId, token: 'tok_ok', expectedVersion: 1 });
    return orderId;
  });
  const all = async (text: string) => (await backends.database.query(text)).rows;
  await until('the outbox to be empty', async () => (await all('select from outbox')).length === 0);
  const each = <Value>(value: Value) => Object.fromEntries(orders.map((id) => [id, value]));
  const byOrder = (rows: { id: string; value: unknown }[]) =>
    Object.fromEntries(rows.map(({ id, value }) => [id, value]));
  const events = `select order_id as id, string_agg(type, ' ' order by version) as value from order_events group by 1`;
  expect(byOrder(await all(events))).toEqual(each('order.created order.paid'));
  const taken = 'select order_id as id, sum(amount_minor)::int as value from provider_ledger group by 1';
  expect(byOrder(await all(taken))).toEqual(each(1250));
  expect(byOrder(await all('select order_id as id, status as value from payments'))).toEqual(each('settled'));
  const told = (await backends.messages('ORDERS')).filter(({ subject }) => subject.endsWith('.paid'));
  expect(told.map(({ subject }) => subject.split('.')[1]).sort()).toEqual([...orders].sort());
}, 300_000);
