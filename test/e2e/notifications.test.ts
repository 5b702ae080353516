import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import orderView from '../../functions/orders/order-view/function.ts';
import salesView from '../../functions/orders/sales-view/function.ts';
import { REPLAY_HEADER } from '../../functions/runtime/messages/message.ts';
import { parseHeaders, storedMessages } from '../../scripts/operate/dead-letters/dead-letters.ts';
import { rebuild } from '../../scripts/operate/rebuild/rebuild.ts';
import { pathsOf } from '../../scripts/platform/servers/data-folder.ts';
import type { Mail } from '../../scripts/platform/servers/mailbox.ts';
import { withBusAs } from '../../scripts/platform/servers/nats/nats-keys.ts';
import { OPERATOR } from '../../scripts/registry/nats-users/permissions.ts';
import { gatherRest } from '../../scripts/shop/chaos/gather.ts';
import { isOfNotifications, newAccount } from '../support/accounts.ts';
import { openBrowser } from '../support/browser.ts';
import { answered, operations } from '../support/contract.ts';
import { startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let shop: Awaited<ReturnType<typeof startShop>>;
let staff: string;
let customer: string;
let userId: string;
const account = newAccount();

beforeAll(async () => {
  shop = await startShop({ PAYMENT_WINDOW_SECONDS: '300' });
  staff = await shop.signIn(shop.demo.staff);
  userId = (await shop.call('POST', '/v1/users', { body: account })).body.userId;
  customer = await shop.signIn(account);
});

afterAll(() => shop?.end());

const post = (path: string, token: string, body: unknown = undefined) =>
  shop.call('POST', path, { token, body, headers: { 'idempotency-key': randomUUID(), prefer: 'wait=20' } });
const get = (path: string, token: string) => shop.call('GET', path, { token });
const put = (body: unknown) => shop.call('PUT', '/v1/notifications/preferences', { token: customer, body });
const mails = async (): Promise<Mail[]> => (await shop.call('GET', '/_local/mail')).body;
const mailAbout = (orderId: string, word: string) =>
  until(`the e-mail about ${word}`, async () =>
    (await mails()).find(({ subject }) => subject.includes(orderId) && subject.includes(word)),
  );
type Logged = {
  template: string;
  status: string;
  reason: string | null;
  notificationId: string;
  orderId: string | null;
};
const logged = (template: string): Promise<Logged> =>
  until(`${template} in the log`, async () => {
    const { body } = await get('/v1/notifications', customer);
    return body.notifications.find((one: Logged) => one.template === template && one.status !== 'claimed');
  });

async function deliveredOrder(): Promise<string> {
  const { body: order } = await post('/v1/orders', customer, { lines: [{ sku: 'mug', quantity: 1 }] });
  const at = `/v1/orders/${order.orderId}`;
  await post(`${at}/payments`, customer, { token: 'tok_ok' });
  const shipped = await post(`${at}/shipments`, staff, { carrier: 'Post', trackingNumber: 'NL-1' });
  await mailAbout(order.orderId, shipped.body.orderId);
  const [{ shipmentId }] = shipped.body.shipments;
  await post(`${at}/deliveries`, staff, { shipmentId });
  return order.orderId;
}

test('a customer is told of an order in the language of choice, and mutes a kind by the link in its e-mail', async () => {
  expect((await get('/v1/notifications/preferences', customer)).body).toEqual({ locale: 'en', muted: [] });
  expect((await put({ locale: 'de' })).body).toEqual({ locale: 'de', muted: [] });
  const orderId = await deliveredOrder();
  const mail = await mailAbout(orderId, 'angekommen');
  expect(mail.html).toContain('<html lang="de">');
  const { pathname } = new URL(/<(.*)>/.exec(mail.headers['list-unsubscribe'] ?? '')?.[1] ?? '');
  const page = await shop.call('GET', pathname);
  expect(page.body).toContain('<form method="post">');
  expect((await get('/v1/notifications/preferences', customer)).body.muted).toEqual([]);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const oneClick = (path: string) => shop.call('POST', path, { body: 'List-Unsubscribe=One-Click', headers: form });
  const [known, unknown] = [await oneClick(pathname), await oneClick(pathname.replace(/[^/]*$/, 'of-nobody'))];
  expect(unknown).toMatchObject({ status: 200, body: known.body });
  expect(known.headers.get('content-security-policy')).toBe("default-src 'none'");
  expect((await get('/v1/notifications/preferences', customer)).body.muted).toEqual(['order-delivered']);
  await deliveredOrder();
  await until('it to be suppressed', async () => {
    const { body } = await get('/v1/notifications', customer);
    return body.notifications.some(({ status, reason }: Logged) => status === 'suppressed' && reason === 'muted');
  });
});

test('what must be told cannot be muted, and the answer says what can', async () => {
  const { status, body } = await put({ muted: ['order-delivered', 'password-changed'] });
  expect(status).toBe(400);
  expect(body.errors).toEqual([
    { field: 'muted[1]', message: 'cannot be muted; order-expiring-soon, order-delivered, welcome can' },
  ]);
});

test('the log is read in pages, newest first, by its user and staff alone, and tells no address', async () => {
  const first = await get('/v1/notifications?limit=2', customer);
  expect(first.body.notifications).toHaveLength(2);
  const next = /<(.*)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
  const second = await get(next, customer);
  const all = await get('/v1/notifications', customer);
  expect(all.body.notifications.slice(0, 4)).toEqual([...first.body.notifications, ...second.body.notifications]);
  expect((await get(`/v1/notifications?userId=${userId}`, staff)).body).toEqual(all.body);
  expect(await get(`/v1/notifications?userId=${randomUUID()}`, customer)).toMatchObject({ status: 403 });
  expect(JSON.stringify(all.body)).not.toContain(account.email);
});

test('a notification is sent again to its own user, and is not there for others', async () => {
  const { notificationId, orderId } = await logged('order-shipped');
  const before = (await mails()).length;
  const again = await post(`/v1/notifications/${notificationId}/resend`, customer);
  expect(again).toMatchObject({ status: 202, body: { resendOf: notificationId, orderId } });
  await until('it to be sent again', async () => (await mails()).length > before);
  const newest = (await mails())[0];
  expect(newest?.headers['message-id']).toBe(`<${again.body.notificationId}.order-shipped@millrace>`);
  const stranger = await shop.signUp();
  const foreign = await post(`/v1/notifications/${notificationId}/resend`, stranger);
  expect(foreign).toMatchObject({ status: 404, body: { slug: 'notification-not-found' } });
});

test('the link to pay again leads to a page where the customer signs in and pays', async () => {
  const { body: order } = await post('/v1/orders', customer, { lines: [{ sku: 'mug', quantity: 1 }] });
  await post(`/v1/orders/${order.orderId}/payments`, customer, { token: 'tok_declined' });
  const { text } = await mailAbout(order.orderId, 'fehlgeschlagen');
  const [link = ''] = /^http\S+\/payment$/m.exec(text) ?? [];
  const answer = await shop.call('GET', new URL(link).pathname);
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'sha256-");
  const browser = await openBrowser();
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  await page.goto(link);
  await page.fill('#email', account.email);
  await page.fill('#password', account.password);
  await page.click('#sign-in-button');
  await page.locator('#order', { hasText: '1 × ' }).waitFor();
  for (const [token, says] of [
    ['tok_declined', 'did not go through'],
    ['tok_ok', 'is paid'],
  ] as const) {
    await page.fill('#token', token);
    await page.click('#pay-button');
    await page.locator('#said', { hasText: says }).waitFor();
    await page.locator('#pay-button:not([disabled])').waitFor({ state: 'attached' });
  }
  await browser.close();
  expect(complaints).toEqual([]);
  await until('the order to be paid', async () => {
    const { body } = await get(`/v1/orders/${order.orderId}`, customer);
    return body.paymentStatus === 'paid';
  });
});

test('an address that is reported gets nothing until it is taken off again, and only staff may say so', async () => {
  const body = { email: account.email.toUpperCase() };
  expect(await post('/v1/notifications/bounces', customer, body)).toMatchObject({ status: 403 });
  expect(await post('/v1/notifications/bounces', staff, { email: 'nobody at all' })).toMatchObject({ status: 400 });
  expect(await post('/v1/notifications/bounces', staff, body)).toMatchObject({ status: 204 });
  await shop.call('POST', '/v1/password-resets', { body: { email: account.email } });
  expect(await logged('password-reset')).toMatchObject({ status: 'suppressed', reason: 'bounced' });
  expect(await post('/v1/notifications/bounces/removals', staff, body)).toMatchObject({ status: 204 });
});

test('a rebuild of everything, and every event once more, sends nothing', { timeout: 120_000 }, async () => {
  const database = new pg.Pool({ connectionString: shop.endpoints.postgres, max: 3 });
  const { secrets } = pathsOf(shop.dataDir);
  const atRest = () =>
    withBusAs(OPERATOR.name, shop.endpoints.nats, secrets, async (bus) =>
      until('the shop to be at rest', async () => {
        const { lag, claims, outbox } = await gatherRest({ bus, database });
        return lag.length + claims.length + outbox.length === 0;
      }),
    );
  await atRest();
  const before = await mails();
  for (const projector of [orderView, salesView]) await rebuild(database, projector, () => undefined);
  const events = await withBusAs(OPERATOR.name, shop.endpoints.nats, secrets, async (bus) => {
    const found = [];
    for (const stream of ['ORDERS', 'USERS'])
      for await (const { message } of storedMessages(bus, stream, '>')) found.push(message);
    return found;
  });
  expect(events.length).toBeGreaterThan(8);
  // Their claims are not what keeps them from being sent.
  await database.query('delete from notifications');
  await withBusAs('outbox-relay', shop.endpoints.nats, secrets, async (bus) => {
    for (const { subject, hdrs, data = '' } of events) {
      const headers = { ...parseHeaders(hdrs), [REPLAY_HEADER]: 'true' };
      await bus.publish(subject, Buffer.from(data, 'base64'), headers, randomUUID());
    }
  });
  await until('the notifiers to have seen all', () => {
    const lines = ['order-emails', 'account-emails'].flatMap((name) =>
      readFileSync(path.join(shop.logs, `${name}.log`), 'utf8').split('\n'),
    );
    return lines.filter((line) => line.includes('replayed')).length === events.length;
  });
  await atRest();
  expect(await mails()).toEqual(before);
  expect((await database.query('select from notifications')).rows).toEqual([]);
  await database.end();
});

test('every operation about notifications was answered here, as the document says', () => {
  expect([...answered].filter(isOfNotifications).sort()).toEqual(operations.filter(isOfNotifications).sort());
});
