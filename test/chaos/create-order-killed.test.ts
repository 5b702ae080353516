import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Mailbox, openMailbox } from '../../scripts/platform/servers/mailbox.ts';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { signingKeyFile } from '../../scripts/shop/signing-key/file.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { killAtEachWrite } from '../support/killed.ts';
import { until } from '../support/until.ts';

let backends: Backends;
let folder: string;
let mailbox: Mailbox;
const others: RunningFunction[] = [];
const customerId = randomUUID();

beforeAll(async () => {
  backends = await startBackends({ consumer: (spec) => ({ ...spec, ackWait: '1s' }) });
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-killed-'));
  mailbox = await openMailbox(path.join(folder, 'mailbox.jsonl'));
  await backends.database.query(`insert into products values ('mug', 'Mug', 1250, 'EUR', 1000)`);
  await backends.database.query(`insert into users values ($1, 'ada@example.com', 'x', 'customer', now())`, [
    customerId,
  ]);
  const grpcPort = String(await freePort());
  const users = { GRPC_PORT: grpcPort, SIGNING_KEY_FILE: await signingKeyFile(folder) };
  others.push(await startFunction('user-service', backends, { env: users }));
  const env = { USER_SERVICE_ADDRESS: `127.0.0.1:${grpcPort}`, SMTP_URL: mailbox.url };
  for (const name of ['order-view', 'order-emails', 'outbox-relay'])
    others.push(await startFunction(name, backends, { env }));
});

afterAll(async () => {
  for (const running of others.reverse()) await running.stop();
  await mailbox?.close();
  await backends?.stop();
  await rm(folder, { recursive: true, force: true });
});

test('create-order killed before any of its writes: every order is stored, published, read and mailed once', async () => {
  const orders = await killAtEachWrite(backends, 'create-order', async () => {
    const orderId = randomUUID();
    const command = { orderId, customerId, lines: [{ sku: 'mug', quantity: 1 }] };
    await backends.bus.publish('command.order.create', JSON.stringify(command), {}, randomUUID());
    return orderId;
  });

  const count = async (text: string) => (await backends.database.query(text)).rows[0].count;
  await until('the outbox to be empty', async () => (await count('select count(*)::int from outbox')) === 0);
  await until(
    'all events to be consumed',
    async () =>
      (await backends.undone('ORDERS', 'order-view')) + (await backends.undone('ORDERS', 'order-emails')) === 0,
  );

  const once = Object.fromEntries(orders.map((id) => [id, 1]));
  const tally = (ids: readonly string[]) => {
    const counts: Record<string, number> = {};
    for (const id of ids) counts[id] = (counts[id] ?? 0) + 1;
    return counts;
  };
  const ids = async (table: string): Promise<string[]> =>
    (await backends.database.query(`select order_id from ${table}`)).rows.map((row) => row.order_id);
  expect(tally(await ids('order_events')), 'stored').toEqual(once);
  expect(
    tally((await backends.messages('ORDERS')).map(({ subject }) => subject.split('.')[1] ?? '')),
    'published',
  ).toEqual(once);
  expect(tally(await ids('order_view')), 'read').toEqual(once);
  expect(tally(mailbox.list().map(({ subject }) => subject.replace('Your order ', ''))), 'mailed').toEqual(once);
  expect(await count('select stock as count from products')).toBe(1000 - orders.length);
}, 300_000);
