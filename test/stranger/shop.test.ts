/** Runs in a copy of the repository that has the context `inventory`, and is not run here. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { declaredConsumers } from '../../scripts/manifests/rules.ts';
import { listFunctions } from '../../scripts/registry/functions.ts';
import { findTests } from '../../scripts/ship/deploy/gate.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { type Shop, startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);

let sms: Receiver;
let shop: Shop & { end(): Promise<void> };
let token: string;
let database: pg.Pool;

beforeAll(async () => {
  sms = await startReceiver();
  shop = await startShop({ SMS_URL: sms.url });
  token = await shop.signUp();
  database = new pg.Pool({ connectionString: shop.endpoints.postgres });
});

afterAll(async () => {
  await database?.end();
  await sms?.close();
  await shop?.end();
});

async function order(quantity: number): Promise<string> {
  const body = { lines: [{ sku: 'mug', quantity }] };
  const headers = { 'idempotency-key': randomUUID(), prefer: 'wait=20' };
  return (await shop.call('POST', '/v1/orders', { token, body, headers })).body.orderId;
}
const levels = async () => (await database.query('select inventory_id, pieces from stock_levels order by pieces')).rows;
const totals = async () => (await database.query('select sku, pieces from pieces_reserved')).rows;

test('an order reserves stock, is counted, and is told of once; a rebuild comes to the same', {
  timeout: 240_000,
}, async () => {
  const orders = [await order(1), await order(2)];
  const reserved = [
    { inventory_id: orders[0], pieces: 1 },
    { inventory_id: orders[1], pieces: 2 },
  ];
  await until('the stock of both orders', async () => (await levels()).length === 2, 60_000);
  expect(await levels()).toEqual(reserved);
  await until('the sum', async () => (await totals())[0]?.pieces === '3', 60_000);
  await until('two SMS', () => sms.received.length >= 2, 60_000);
  const texts = sms.received.map(({ body }) => JSON.parse(body).text).sort();
  expect(texts).toEqual(orders.map((id, index) => `Reserved for ${id}: ${index + 1} mug`).sort());
  const sent = `select count(*)::int from notifications where template = 'stock-sms' and channel = 'sms' and status = 'sent'`;
  await until('both noted as sent', async () => (await database.query(sent)).rows[0].count === 2);

  for (const projector of ['stock-levels', 'pieces-reserved'])
    await run(process.execPath, ['scripts/millrace.ts', 'rebuild', projector, '--database', shop.endpoints.postgres]);
  expect(await levels()).toEqual(reserved);
  expect(await totals()).toEqual([{ sku: 'mug', pieces: '3' }]);
  expect(sms.received).toHaveLength(2);
});

test('the gate tests each function by its own context, and knows its consumers', async () => {
  const own = (await listFunctions()).filter(({ context }) => context === 'inventory');
  expect(own).toHaveLength(5);
  for (const fn of own) {
    expect(await findTests(fn)).toContain('functions/inventory/reserve-stock/decide.test.ts');
    const consumers = declaredConsumers(fn.name).map(({ durableName }) => durableName);
    expect(consumers).toEqual([fn.name, `${fn.name}-retries`]);
  }
});
