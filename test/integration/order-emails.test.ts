import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { muteByToken, putPreferences, readPreferences, resend } from '../../functions/notifications/client.ts';
import type { PublicOrder } from '../../functions/orders/events.ts';
import { REPLAY_HEADER } from '../../functions/runtime/messages/message.ts';
import { continueTrace } from '../../functions/runtime/trace.ts';
import { type Mailbox, openMailbox } from '../../scripts/platform/servers/mailbox.ts';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { signingKeyFile } from '../../scripts/shop/signing-key/file.ts';
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
/** Of which nobody is reminded. */
const newOrder = (changes: Partial<PublicOrder> = {}) => exampleOrder({ customerId, paymentDueAt: null, ...changes });
const claimsOf = async (eventId: string) =>
  (
    await backends.database.query('select template, status, reason, attempts from notifications where event_id = $1', [
      eventId,
    ])
  ).rows;

test('an order is confirmed to the address that user-service knows', async () => {
  const order = newOrder();
  await publishCreated(backends.bus, order);
  await drained();
  expect(mailsOf(order.orderId)).toMatchObject([{ to: 'ada@example.com', subject: `Your order ${order.orderId}` }]);
});

test('the same event five times is one e-mail', async () => {
  const order = newOrder();
  const eventId = randomUUID();
  await Promise.all(Array.from({ length: 5 }, () => publishCreated(backends.bus, order, eventId)));
  await drained();
  expect(mailsOf(order.orderId)).toHaveLength(1);
  expect(await claimsOf(eventId)).toMatchObject([{ template: 'order-confirmation', status: 'sent' }]);
});

test('an order of nobody becomes a dead letter, is told as given up, and is sent when it comes again and can be', async () => {
  const order = newOrder({ customerId: randomUUID() });
  const eventId = randomUUID();
  await publishCreated(backends.bus, order, eventId);
  await drained();
  const [letter, ...more] = await backends.messages('DEAD_LETTERS');
  expect(more).toEqual([]);
  expect(letter?.headers).toContain('millrace-error: user-not-found');
  expect(await claimsOf(eventId)).toMatchObject([{ status: 'failed', reason: 'given-up', attempts: 1 }]);
  await backends.database.query(`insert into users values ($1, 'late@example.com', 'x', 'customer', now())`, [
    order.customerId,
  ]);
  await publishCreated(backends.bus, order, eventId);
  await drained();
  expect(mailsOf(order.orderId)).toMatchObject([{ to: 'late@example.com' }]);
  expect(await claimsOf(eventId)).toMatchObject([{ status: 'sent', reason: null, attempts: 2 }]);
});

test('while user-service is down nothing is lost, and afterwards each e-mail is sent once', async () => {
  await userService.stop();
  const orders = Array.from({ length: 5 }, () => newOrder());
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
    done(Object.assign(new Error('5.1.1 no such mailbox'), { responseCode: 550 }));
  const server = new SMTPServer({ authOptional: true, disabledCommands: ['AUTH', 'STARTTLS'], onRcptTo });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return server;
}

test('an address that the mail server refuses for good gets nothing more, and that is no dead letter', async () => {
  const nobody = randomUUID();
  await backends.database.query(`insert into users values ($1, 'No.One@example.com', 'x', 'customer', now())`, [
    nobody,
  ]);
  await orderEmails.stop();
  const refusing = await refusingSmtp();
  orderEmails = await startEmails(`smtp://127.0.0.1:${(refusing.server.address() as { port: number }).port}`);
  const seen = (await backends.messages('DEAD_LETTERS')).length;
  const [first, second] = [randomUUID(), randomUUID()];
  await publishCreated(backends.bus, newOrder({ customerId: nobody }), first);
  await drained();
  await publishCreated(backends.bus, newOrder({ customerId: nobody }), second);
  await drained();
  expect(await claimsOf(first)).toMatchObject([{ status: 'failed', reason: 'address-refused' }]);
  expect(await claimsOf(second)).toMatchObject([{ status: 'suppressed', reason: 'bounced' }]);
  expect(await backends.messages('DEAD_LETTERS')).toHaveLength(seen);
  const { rows } = await backends.database.query('select address_hash, source from refused_addresses');
  const hash = createHash('sha256').update('no.one@example.com').digest();
  expect(rows).toEqual([{ address_hash: hash, source: 'server' }]);
  expect(orderEmails.lines.join()).not.toContain('example.com');
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
  const order = newOrder();
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
  const order = newOrder();
  const eventId = randomUUID();
  await backends.database.query(
    `insert into notifications (event_id, template, recipient, status, claimed_until)
     values ($1, 'order-confirmation', $2, 'claimed', now() + interval '3 s')`,
    [eventId, customerId],
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

const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();

/** An event of an order as the shop publishes it, with its own id and what is special about it. */
async function publish(what: string, order: PublicOrder, more: object = {}, headers: Record<string, string> = {}) {
  const eventId = randomUUID();
  const data = JSON.stringify({ order, ...more });
  const own = { 'ce-id': eventId, 'ce-source': '/test', ...headers };
  await backends.bus.publish(`order.${order.orderId}.${what}`, data, own, randomUUID());
  return eventId;
}

const parcel = {
  shipmentId: randomUUID(),
  carrier: 'Post',
  trackingNumber: 'NL-1',
  lines: [{ sku: 'mug', quantity: 2 }],
  shippedAt: inMinutes(0),
};

test('a parcel is told of with its number, and not any more when it is known to have arrived', async () => {
  const order = newOrder({ version: 3, fulfilmentStatus: 'shipped' });
  await publish('shipped', order, parcel);
  await drained();
  expect(mailsOf(order.orderId)[0]?.text).toMatch(/Post.*NL-1.*2 × Mug/s);
  const late = newOrder({ version: 3, fulfilmentStatus: 'shipped' });
  const delivered = { shipmentId: parcel.shipmentId, deliveredAt: inMinutes(0) };
  await publish('delivered', { ...late, version: 4, fulfilmentStatus: 'delivered' }, delivered);
  await drained();
  const eventId = await publish('shipped', late, parcel);
  await drained();
  expect(mailsOf(late.orderId).map(({ subject }) => subject)).toEqual([`Your order ${late.orderId} has arrived`]);
  expect(await claimsOf(eventId)).toMatchObject([{ status: 'suppressed', reason: 'stale' }]);
});

test('who has not paid is reminded once, by half of the time, and who has is not', async () => {
  const due = { createdAt: inMinutes(-20), paymentDueAt: inMinutes(10) };
  const [unpaid, paid] = [newOrder(due), newOrder(due)];
  await publish(
    'paid',
    { ...paid, version: 2, paymentStatus: 'paid', paidMinor: 2500 },
    {
      paymentId: randomUUID(),
      amountMinor: 2500,
      paidAt: inMinutes(0),
    },
  );
  await drained();
  const [eventId, ofPaid] = [randomUUID(), randomUUID()];
  for (let time = 0; time < 2; time += 1) await publishCreated(backends.bus, unpaid, eventId);
  await publishCreated(backends.bus, paid, ofPaid);
  await until(
    'all to be handled',
    async () => (await claimsOf(ofPaid)).length === 2 && (await claimsOf(eventId)).length === 2,
  );
  await drained();
  const subjects = mailsOf(unpaid.orderId).map(({ subject }) => subject);
  expect(subjects.sort()).toEqual([`Your order ${unpaid.orderId}`, `Your order ${unpaid.orderId} expires soon`]);
  expect(mailsOf(paid.orderId)).toHaveLength(1);
  const reminders = (await claimsOf(ofPaid)).filter(({ template }) => template === 'order-expiring-soon');
  expect(reminders).toMatchObject([{ status: 'suppressed', reason: 'stale' }]);
});

test('an optional e-mail names a link that mutes its kind, in HTML too, and in the language of its reader', async () => {
  const { database } = backends;
  await putPreferences(database, customerId, { locale: 'de' });
  const delivered = { shipmentId: parcel.shipmentId, deliveredAt: inMinutes(0) };
  const order = newOrder({ version: 4, fulfilmentStatus: 'delivered' });
  await publish('delivered', order, delivered);
  await drained();
  const [mail] = mailsOf(order.orderId);
  expect(mail?.subject).toBe(`Ihre Bestellung ${order.orderId} ist angekommen`);
  const link = /^<(https:\S+)>$/.exec(mail?.headers['list-unsubscribe'] ?? '')?.[1] ?? '-';
  expect(mail?.headers['list-unsubscribe-post']).toBe('List-Unsubscribe=One-Click');
  for (const shown of [mail?.text, mail?.html]) expect(shown).toContain(link);
  await muteByToken(database, link.split('/').at(-1) ?? '');
  await muteByToken(database, link.split('/').at(-1) ?? '');
  await muteByToken(database, 'of-nobody');
  expect(await readPreferences(database, customerId)).toEqual({ locale: 'de', muted: ['order-delivered'] });
  const eventId = await publish('delivered', newOrder({ fulfilmentStatus: 'delivered' }), delivered);
  await drained();
  expect(await claimsOf(eventId)).toMatchObject([{ status: 'suppressed', reason: 'muted' }]);
  await putPreferences(database, customerId, { locale: 'en', muted: [] });
});

test('an event that is replayed, or was parked as such, sends nothing', async () => {
  const order = newOrder();
  const before = mailbox.list().length;
  const eventId = await publish('created', order, {}, { [REPLAY_HEADER]: 'true' });
  await drained();
  expect(await claimsOf(eventId)).toEqual([]);
  expect(mailbox.list()).toHaveLength(before);
  expect(orderEmails.lines.some((line) => line.includes(eventId) && line.includes('replayed'))).toBe(true);
});

test('a notification is sent again once a request, as a new one that names the first, and at most five times', async () => {
  const order = newOrder();
  const eventId = randomUUID();
  await publishCreated(backends.bus, order, eventId);
  await drained();
  const { rows } = await backends.database.query('select id from notifications where event_id = $1', [eventId]);
  const notificationId: string = rows[0].id;
  const again = (newId: string, userId: string | undefined = customerId) =>
    resend(backends, { newId, notificationId, userId }, continueTrace());
  const ids = Array.from({ length: 5 }, () => randomUUID());
  const made = await Promise.all([...ids, ...ids].map((id) => again(id)));
  expect(made).toMatchObject([...ids, ...ids].map((id) => ({ notificationId: id, resendOf: notificationId })));
  await expect(again(randomUUID())).rejects.toMatchObject({ code: 'refused', slug: 'resent-too-often' });
  await expect(again(randomUUID(), randomUUID())).rejects.toMatchObject({ slug: 'notification-not-found' });
  await drained();
  const keys = mailsOf(order.orderId).map(({ headers }) => headers['message-id']);
  expect(keys.sort()).toEqual([eventId, ...ids].map((id) => `<${id}.order-confirmation@millrace>`).sort());
});
