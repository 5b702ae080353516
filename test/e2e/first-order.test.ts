import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository } from '../../scripts/registry/repository.ts';
import { type Shop, startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let shop: Awaited<ReturnType<typeof startShop>>;

beforeAll(async () => {
  shop = await startShop();
});

afterAll(() => shop?.end());

/** The shell commands of the README that begin with curl or set TOKEN, in their order, for the shop of this test. */
async function readmeCommands(endpoint: string): Promise<[order: string, looks: string]> {
  const readme = await readFile(path.join(repository, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) =>
    block.replaceAll('http://127.0.0.1:8080', endpoint),
  );
  const [order = '', looks = '', ...others] = blocks.filter((block) => block.includes('curl'));
  expect(others).toEqual([]);
  expect(order.match(/curl/g)).toHaveLength(3);
  return [order, looks];
}

const bash = async (script: string): Promise<string> =>
  (await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script])).stdout;

const replicas = async (of: Shop): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await of.call('GET', '/_local/functions')).body.map(
      ({ name, replicas: count }: { name: string; replicas: number }) => [name, count],
    ),
  );

test('the first order of the README wakes its functions from zero, and they go back to zero', async () => {
  const woken = ['create-order', 'order-view', 'order-emails'];
  const before = await replicas(shop);
  for (const name of [...woken, 'commands-api', 'queries-api']) expect(before[name], name).toBe(0);

  const most: Record<string, number> = {};
  let watching = true;
  const watch = (async () => {
    while (watching)
      await until('the functions', async () => {
        for (const [name, count] of Object.entries(await replicas(shop))) most[name] = Math.max(most[name] ?? 0, count);
        return true;
      });
  })();

  const [order, looks] = await readmeCommands(shop.endpoints.http);
  const said = await bash(order);
  expect(said).toContain('"email":"ada@example.com"');
  expect(said).toContain('"totalMinor":3390');
  const [orderId] = /[0-9a-f-]{36}(?=","customerId)/.exec(said) ?? [];
  expect(orderId).toBeDefined();

  const seen = await until('the order in the list and the mails in the mailbox', async () => {
    const answers = await bash(`${order}\n${looks}`);
    const [, list = ''] = answers.split('{"orders":');
    return (
      list.includes(`"orderId":"${orderId}"`) &&
      list.includes(`Your order ${orderId}`) &&
      list.includes('"subject":"Confirm your e-mail address"') &&
      list
    );
  });
  expect(seen).toContain('"name":"create-order"');
  watching = false;
  await watch;
  for (const name of woken) expect(most[name], name).toBeGreaterThanOrEqual(1);

  const { body: mails } = await shop.call('GET', '/_local/mail');
  expect(
    mails
      .map(({ to, subject }: { to: string; subject: string }) => `${to}: ${subject}`)
      .filter((line: string) => line.includes(orderId ?? '?')),
  ).toEqual([`ada@example.com: Your order ${orderId}`]);
  const mail = mails.find(({ subject }: { subject: string }) => subject.includes(orderId ?? '?'));
  expect(mail.text).toContain('€33.90');
  expect(mail.headers['message-id']).toMatch(/^<[\w-]+\.order-confirmation@millrace>$/);

  await until(
    'all functions to be at zero again',
    async () => Object.entries(await replicas(shop)).every(([name, count]) => count === 0 || name === 'user-service'),
    90_000,
  );
}, 180_000);

test('a row left in the outbox wakes outbox-relay from zero, which publishes it and goes back to zero', {
  timeout: 120_000,
}, async () => {
  const database = new pg.Client(shop.endpoints.postgres);
  await database.connect();
  try {
    expect(await shop.functionState('outbox-relay')).toMatchObject({ replicas: 0 });
    await database.query(
      `insert into outbox values ('left-1', 'user.0190b6a0-0000-7000-8000-000000000001.suspended', '{}', '{}', now() - interval '1 minute')`,
    );
    await until('outbox-relay to wake', async () => (await shop.functionState('outbox-relay')).replicas === 1);
    await until('the row to be gone', async () => (await database.query('select from outbox')).rows.length === 0);
    await until('outbox-relay to sleep', async () => (await shop.functionState('outbox-relay')).replicas === 0, 60_000);
    expect((await shop.functionState('outbox-relay')).lastChange?.why).toMatch(/\S/);
  } finally {
    await database.end();
  }
});

test('npx millrace finds the NATS of the shop, and the key for it', async () => {
  const program = path.join(repository, 'scripts/millrace.mjs');
  const env = { ...process.env, MILLRACE_DATA: shop.dataDir, NATS_URL: '', NATS_SEED_FILE: '' };
  const { stdout } = await promisify(execFile)(program, ['dead-letters', 'list'], { env });
  expect(stdout).toBe('there are no dead letters that fit\n');
});
