import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Mailbox, openMailbox } from '../../scripts/local/mailbox.ts';
import { freePort } from '../../scripts/local/ports.ts';
import { signingKeyFile } from '../../scripts/local/secrets.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { exampleOrder, publishCreated } from '../support/orders.ts';
import { until } from '../support/until.ts';

let backends: Backends;
let folder: string;
let mailbox: Mailbox;
let grpcPort: string;
let orderEmails: RunningFunction;
let userService: RunningFunction;
const customerId = randomUUID();

const startUserService = async () =>
  startFunction('user-service', backends, {
    env: { GRPC_PORT: grpcPort, SIGNING_KEY_FILE: await signingKeyFile(folder) },
  });

beforeAll(async () => {
  backends = await startBackends({ consumer: (spec) => ({ ...spec, ackWait: '2s' }) });
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-emails-'));
  mailbox = await openMailbox(path.join(folder, 'mailbox.jsonl'));
  grpcPort = String(await freePort());
  await backends.database.query(`insert into users values ($1, 'ada@example.com', 'x', 'customer', now())`, [
    customerId,
  ]);
  userService = await startUserService();
  orderEmails = await startEmails(mailbox.url);
});

afterAll(async () => {
  await orderEmails?.stop();
  await userService?.stop();
  await mailbox?.close();
  await backends?.stop();
  await rm(folder, { recursive: true, force: true });
});

const startEmails = (smtp: string) =>
  startFunction('order-emails', backends, { env: { USER_SERVICE_ADDRESS: `127.0.0.1:${grpcPort}`, SMTP_URL: smtp } });

const drained = () =>
  until('all events to be handled', async () => (await backends.undone('ORDERS', 'order-emails')) === 0, 50_000);
const mailsOf = (orderId: string) => mailbox.list().filter(({ subject }) => subject.includes(orderId));
const claimsOf = async (eventId: string) =>
  (await backends.database.query('select template, status, attempts from notifications where event_id = $1', [eventId]))
    .rows;

test('an order is confirmed to the address that user-service knows', async () => {
  const order = exampleOrder({ customerId });
  await publishCreated(backends.bus, order);
  await drained();
  expect(mailsOf(order.orderId)).toMatchObject([{ to: 'ada@example.com', subject: `Your order ${order.orderId}` }]);
});

test('the same event five times is one e-mail', async () => {
  const order = exampleOrder({ customerId });
  const eventId = randomUUID();
  await Promise.all(Array.from({ length: 5 }, () => publishCreated(backends.bus, order, eventId)));
  await drained();
  expect(mailsOf(order.orderId)).toHaveLength(1);
  expect(await claimsOf(eventId)).toMatchObject([{ template: 'order-confirmation', status: 'sent' }]);
});

test('an order of nobody becomes a dead letter', async () => {
  const order = exampleOrder();
  await publishCreated(backends.bus, order);
  await drained();
  const [letter, ...more] = await backends.messages('DEAD_LETTERS');
  expect(more).toEqual([]);
  expect(letter?.headers).toContain('millrace-error: user-not-found');
});

test('while user-service is down nothing is lost, and afterwards each e-mail is sent once', async () => {
  await userService.stop();
  const orders = Array.from({ length: 5 }, () => exampleOrder({ customerId }));
  const eventIds = orders.map(() => randomUUID());
  await Promise.all(orders.map((order, index) => publishCreated(backends.bus, order, eventIds[index])));
  await until('an attempt at each', async () =>
    (await Promise.all(eventIds.map(claimsOf))).every(([claim]) => claim?.attempts > 1),
  );
  userService = await startUserService();
  await drained();
  for (const { orderId } of orders) expect(mailsOf(orderId)).toHaveLength(1);
  expect(await backends.messages('DEAD_LETTERS')).toHaveLength(1);
});

/** An SMTP server that takes no mail for anybody, for good. */
async function refusingSmtp(): Promise<SMTPServer> {
  const onRcptTo = (_: unknown, __: unknown, done: (error: Error) => void): void =>
    done(Object.assign(new Error('no such mailbox'), { responseCode: 550 }));
  const server = new SMTPServer({ authOptional: true, disabledCommands: ['AUTH', 'STARTTLS'], onRcptTo });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return server;
}

test('an e-mail that the mail server refuses for good becomes a dead letter', async () => {
  await orderEmails.stop();
  const refusing = await refusingSmtp();
  orderEmails = await startEmails(`smtp://127.0.0.1:${(refusing.server.address() as { port: number }).port}`);
  const seen = (await backends.messages('DEAD_LETTERS')).length;
  await publishCreated(backends.bus, exampleOrder({ customerId }));
  const letter = await until('the dead letter', async () => (await backends.messages('DEAD_LETTERS'))[seen]);
  expect(letter.headers).toContain('millrace-error: mail-refused');
  await orderEmails.stop();
  await new Promise<void>((resolve) => refusing.close(() => resolve()));
  orderEmails = await startEmails(mailbox.url);
});

/** An SMTP server that is there, and hangs up on everybody. */
async function deafSmtp(): Promise<Server> {
  const server = createServer((socket: Socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

test('an e-mail that the mail server did not take is sent later, once', async () => {
  await orderEmails.stop();
  const deaf = await deafSmtp();
  orderEmails = await startEmails(`smtp://127.0.0.1:${(deaf.address() as { port: number }).port}`);
  const order = exampleOrder({ customerId });
  const eventId = randomUUID();
  await publishCreated(backends.bus, order, eventId);
  await until('two attempts', async () => (await claimsOf(eventId))[0]?.attempts > 1);
  await orderEmails.stop();
  deaf.close();
  orderEmails = await startEmails(mailbox.url);
  await drained();
  expect(mailsOf(order.orderId)).toHaveLength(1);
  expect(mailsOf(order.orderId)[0]?.headers['message-id']).toBe(`<${eventId}.order-confirmation@millrace>`);
});

test('an event that another process is delivering is left to it until its claim runs out', async () => {
  const order = exampleOrder({ customerId });
  const eventId = randomUUID();
  await backends.database.query(
    `insert into notifications values ($1, 'order-confirmation', 'claimed', 1, now() + interval '3 s')`,
    [eventId],
  );
  await publishCreated(backends.bus, order, eventId);
  await drained();
  expect(mailsOf(order.orderId)).toHaveLength(1);
  expect(await claimsOf(eventId)).toMatchObject([{ status: 'sent', attempts: 2 }]);
  const { rows } = await backends.database.query(
    "select sent_at > claimed_until - interval '30 s' as later from notifications where event_id = $1",
    [eventId],
  );
  expect(rows).toEqual([{ later: true }]);
});
