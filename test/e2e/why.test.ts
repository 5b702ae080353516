import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Mailbox, openMailbox } from '../../scripts/platform/servers/mailbox.ts';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let shop: Awaited<ReturnType<typeof startShop>>;
let folder: string;
let smtpPort: number;
let mailServer: Mailbox | undefined;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-mail-'));
  smtpPort = await freePort();
  shop = await startShop({ SMTP_URL: `smtp://127.0.0.1:${smtpPort}` });
});

afterAll(async () => {
  await shop?.end();
  await mailServer?.close();
  await rm(folder, { recursive: true, force: true });
});

type Said = { readonly code: number; readonly stdout: string; readonly stderr: string };

const why = (...args: string[]): Promise<Said> => {
  const env = { ...process.env, MILLRACE_DATA: shop.dataDir, NATS_URL: '', NATS_SEED_FILE: '' };
  return promisify(execFile)(path.join(repository, 'scripts/millrace.mjs'), ['why', ...args], { env }).then(
    (said) => ({ ...said, code: 0 }),
    (failed: Said) => failed,
  );
};

type Share = { ms: number; cause: { function: string; kind: string; failure?: { error: string; target: string } } };
type Entry = { entry: { function: string; messageId: string; attempts: unknown[] }; state: { is: string } };

const account = async (about: string): Promise<{ sentence: string; shares: Share[]; entries: Entry[] }> =>
  JSON.parse((await why(about, '--json')).stdout);

const isSmtp = ({ cause }: Share): boolean => cause.function === 'order-emails' && cause.failure?.target === 'smtp';

test('npx millrace why names the mail server that was away as the cause, with how long it took', {
  timeout: 180_000,
}, async () => {
  const token = await shop.signUp();
  const headers = { 'idempotency-key': randomUUID(), prefer: 'wait=20' };
  const orderedAt = Date.now();
  const { status, body } = await shop.call('POST', '/v1/orders', {
    token,
    headers,
    body: { lines: [{ sku: 'tea', quantity: 1 }] },
  });
  expect(status).toBe(201);

  const waiting = await until(
    'two failed attempts',
    async () => {
      const told = await account(body.orderId);
      const emails = told.entries.find(({ entry }) => entry.function === 'order-emails');
      return (emails?.entry.attempts.length ?? 0) >= 2 ? why(body.orderId) : undefined;
    },
    60_000,
  );
  expect(waiting.stdout).toMatch(
    /^The notification of order-emails has not gone out, .* after POST \/v1\/orders: .* of it .*order-emails/,
  );
  expect(waiting.stdout).toContain('could not reach smtp (smtp-unavailable)');
  expect(waiting.stdout).toMatch(/What to do: Nothing, once smtp is back: order-emails tries again at 20/);

  mailServer = await openMailbox(path.join(folder, 'mails.jsonl'), smtpPort);
  const upAt = Date.now();
  await until('the e-mail', () => mailServer?.list().find(({ subject }) => subject.includes(body.orderId)), 120_000);
  const told = await until('the span of the e-mail', async () => {
    const all = await account(body.orderId);
    return all.sentence.startsWith('The notification of order-emails went out') ? all : undefined;
  });

  expect(told.sentence).toMatch(
    /^The notification of order-emails went out \d.* after POST \/v1\/orders: \d.* of it waiting because order-emails could not reach smtp \(smtp-unavailable\), \d+ attempts\.$/,
  );
  const [biggest] = told.shares;
  expect(biggest && isSmtp(biggest)).toBe(true);
  expect(biggest?.ms).toBeGreaterThan((upAt - orderedAt) / 2);
  expect(biggest?.ms).toBeLessThan(Date.now() - orderedAt);
  expect(told.entries.map(({ entry }) => entry.function)).toEqual(
    expect.arrayContaining(['commands-api', 'create-order', 'order-view', 'order-emails']),
  );

  const emails = told.entries.find(({ entry }) => entry.function === 'order-emails');
  const event = await account(emails?.entry.messageId ?? '');
  expect(event.sentence).toBe(told.sentence);
  const [mail] = mailServer.list().filter(({ subject }) => subject.includes(body.orderId));
  const email = await why(mail?.headers['message-id'] ?? '');
  expect(email.stdout.split('\n')[0]).toBe(told.sentence);
  expect(email.stdout).not.toContain('@');
  expect(email.stdout).toContain(`History of order ${body.orderId}:`);
  expect(email.stdout).toMatch(/1 {2}order\.created, by command\.order\.create of /);
});

test('without its traces an aggregate is found in the event store, by its subject and by its command', async () => {
  const database = new pg.Client(shop.endpoints.postgres);
  await database.connect();
  const { rows } = await database.query<{ order_id: string; command_id: string }>('select * from order_events limit 1');
  await database.end();
  const [row] = rows;
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  for (const id of [row?.order_id ?? '', row?.command_id ?? '']) {
    const { stdout, stderr } = await why(id, '--jaeger', nowhere, '--database', shop.endpoints.postgres);
    expect(stdout).toMatch(new RegExp(`^order ${row?.order_id} is at version \\d+ since order\\.`));
    expect(stderr).toContain('not asked: Jaeger at');
  }
});

test('what nothing is known of is said so', async () => {
  const { code, stderr, stdout } = await why(randomUUID());
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain('no trace of');
});

test('the commands of the README are those that there are', async () => {
  const readme = readFileSync(path.join(repository, 'functions/README.md'), 'utf8');
  const [, section = ''] = readme.split('## When it is slow');
  const [, block = ''] = /```sh\n(.*?)```/s.exec(section) ?? [];
  const mail = mailServer?.list().find(({ subject }) => subject.startsWith('Your order'));
  const key = /^<(.*)@/.exec(mail?.headers['message-id'] ?? '')?.[1] ?? '';
  const ids: Readonly<Record<string, string>> = {
    '<subject>': mail?.subject.split(' ').at(-1) ?? '',
    '<event-id>': key.split('.')[0] ?? '',
    '<notification-key>': key,
    'http://127.0.0.1:16686': `http://127.0.0.1:${await freePort()}`,
  };
  const calls = block
    .trim()
    .split('\n')
    .map((line) => line.replace('npx millrace why ', '').split(' '));
  const said = await Promise.all(calls.map((args) => why(...args.map((arg) => ids[arg] ?? arg))));
  expect(said.map(({ code }) => code)).toEqual([0, 0, 1]);
  expect(said[2]?.stderr).toContain('Jaeger at http://127.0.0.1');
});
