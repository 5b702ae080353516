import { readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let shop: Awaited<ReturnType<typeof startShop>>;
let database: pg.Client;
let token: string;

const connect = async (): Promise<pg.Client> => {
  const client = new pg.Client(shop.endpoints.postgres);
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

beforeAll(async () => {
  shop = await startShop();
  database = await connect();
  token = await shop.signUp();
});

afterAll(async () => {
  await database?.end();
  await shop?.end();
});

const count = async (text: string): Promise<number> => Number((await database.query(text)).rows[0].count);

test('a row left in the outbox wakes outbox-relay from zero, which publishes it and goes back to zero', {
  timeout: 120_000,
}, async () => {
  expect(await shop.functionState('outbox-relay')).toMatchObject({ replicas: 0 });
  await database.query(
    `insert into outbox values ('left-1', 'user.0190b6a0-0000-7000-8000-000000000001.left', '{}', '{}', now() - interval '1 minute')`,
  );
  await until('outbox-relay to wake', async () => (await shop.functionState('outbox-relay')).replicas === 1);
  await until('the row to be gone', async () => (await count('select count(*) from outbox')) === 0);
  await until('outbox-relay to sleep', async () => (await shop.functionState('outbox-relay')).replicas === 0, 60_000);
  expect((await shop.functionState('outbox-relay')).lastChange?.why).toMatch(/\S/);
});

/** Places an order as a good client does: the same key until it is answered. */
async function place(key: string): Promise<string> {
  const answer = await until(
    `an answer to ${key}`,
    async () => {
      const { status, body } = await shop.call('POST', '/v1/orders', {
        token,
        body: { lines: [{ sku: 'tea', quantity: 1 }] },
        headers: { 'idempotency-key': key },
      });
      return status === 201 ? body : undefined;
    },
    60_000,
  );
  return answer.orderId;
}

async function killFunction(name: string): Promise<void> {
  const { pids } = await until(`a process of ${name}`, async () => {
    const state = await shop.functionState(name);
    return state.pids.length > 0 ? state : undefined;
  });
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

function killByPidFile(...file: string[]): void {
  process.kill(Number.parseInt(readFileSync(path.join(...file), 'utf8'), 10), 'SIGKILL');
}

test('orders placed while everything is killed in turn are each there once, and the shop heals', {
  timeout: 240_000,
}, async () => {
  const before = await count(`select stock as count from products where sku = 'tea'`);
  const { rows } = await database.query('show data_directory');
  const kills: (() => Promise<void> | void)[] = [
    () => killFunction('create-order'),
    () => killFunction('order-view'),
    () => killFunction('commands-api'),
    () => killFunction('order-emails'),
    () => killFunction('user-service'),
    () => killByPidFile(shop.dataDir, 'nats', 'nats.pid'),
    () => killByPidFile(rows[0].data_directory, 'postmaster.pid'),
    () => killFunction('create-order'),
  ];
  const placed: Promise<string>[] = [];
  for (const [round, kill] of kills.entries()) {
    for (let index = 0; index < 6; index += 1) placed.push(place(`fault-${round}-${index}`));
    await Promise.race(placed.slice(-6));
    await kill();
  }
  const orders = await Promise.all(placed);
  database = await until('Postgres', connect);
  await until('the shop to be ready', async () => (await shop.call('GET', '/readyz')).status === 200, 60_000);
  await until('the outbox to be empty', async () => (await count('select count(*) from outbox')) === 0, 60_000);
  expect(new Set(orders).size).toBe(48);
  const ids = orders.map((id) => `'${id}'`).join();
  expect(await count(`select count(*) from order_events where order_id in (${ids})`)).toBe(48);
  await until(
    'every order in the view',
    async () => (await count(`select count(*) from order_view where order_id in (${ids})`)) === 48,
    60_000,
  );
  expect(await count(`select stock as count from products where sku = 'tea'`)).toBe(before - 48);
  const mailed = async (): Promise<string[]> =>
    (await shop.call('GET', '/_local/mail')).body
      .map(({ subject }: { subject: string }) => subject.replace('Your order ', ''))
      .filter((id: string) => orders.includes(id));
  await until('an e-mail for each', async () => new Set(await mailed()).size === 48, 90_000);
  // Only order-emails itself can mail twice, when it is killed between the server's "taken" and the note of it.
  expect((await mailed()).length).toBeLessThanOrEqual(48 + 8);
});
