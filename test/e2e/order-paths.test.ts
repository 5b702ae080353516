import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { orderEvents } from '../../functions/orders/events.ts';
import { startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let shop: Awaited<ReturnType<typeof startShop>>;
let customer: string;
let staff: string;

beforeAll(async () => {
  shop = await startShop({ PAYMENT_WINDOW_SECONDS: '12' });
  customer = await shop.signUp();
  staff = await shop.signIn(shop.demo.staff);
});

afterAll(() => shop?.end());

/** What was answered of each order, by its version. */
const seen = new Map<string, Map<number, object>>();

const note = (order: string, body: { version?: number }): void => {
  if (!body.version) return;
  const versions = seen.get(order) ?? new Map<number, object>();
  seen.set(order, versions.set(body.version, body));
};

/** A POST whose outcome is waited for, with a key of its own. */
const post = async (token: string, path: string, body: object, headers: Record<string, string> = {}) => {
  const sent = { 'idempotency-key': randomUUID(), prefer: 'wait=20', ...headers };
  const answer = await shop.call('POST', path, { token, body, headers: sent });
  if (answer.status === 201) note(`/v1/orders/${answer.body.orderId}`, answer.body);
  return answer;
};

async function ordered(
  lines: object[] = [
    { sku: 'mug', quantity: 2 },
    { sku: 'tea', quantity: 1 },
  ],
): Promise<string> {
  const { status, body } = await post(customer, '/v1/orders', { lines });
  expect(status).toBe(201);
  return `/v1/orders/${body.orderId}`;
}

const pay = (order: string, token = 'tok_ok') => post(customer, `${order}/payments`, { token });

const becomes = (order: string, what: object) =>
  until(
    `the order to become ${JSON.stringify(what)}`,
    async () => {
      const { body } = await shop.call('GET', order, { token: customer });
      note(order, body);
      return Object.entries(what).every(([key, value]) => body[key] === value) ? body : undefined;
    },
    40_000,
  );

const parcel = { carrier: 'Post', trackingNumber: 'NL-1' };

test('pay, ship, deliver', { timeout: 120_000 }, async () => {
  const order = await ordered();
  const paid = await pay(order);
  expect(paid).toMatchObject({ status: 201, body: { paymentStatus: 'paid', version: 2 } });
  expect(paid.headers.get('etag')).toBe('"v2"');
  const shipped = await post(staff, `${order}/shipments`, parcel);
  expect(shipped).toMatchObject({ status: 201, body: { fulfilmentStatus: 'shipped', shipments: [parcel] } });
  const { shipmentId } = shipped.body.shipments[0];
  const delivered = await post(staff, `${order}/deliveries`, { shipmentId });
  expect(delivered).toMatchObject({ status: 201, body: { status: 'completed', fulfilmentStatus: 'delivered' } });
  expect(await becomes(order, { status: 'completed' })).toEqual(delivered.body);
});

test('declined, and paid at the second try', { timeout: 120_000 }, async () => {
  const order = await ordered();
  expect(await pay(order, 'tok_declined')).toMatchObject({ status: 201, body: { paymentStatus: 'failed' } });
  expect(await pay(order)).toMatchObject({ status: 201, body: { paymentStatus: 'paid' } });
  expect(await pay(order)).toMatchObject({ status: 409, body: { slug: 'order-already-paid' } });
});

test('shipped in parts, and no more than was ordered', { timeout: 120_000 }, async () => {
  const order = await ordered();
  await pay(order);
  const part = await post(staff, `${order}/shipments`, { ...parcel, lines: [{ sku: 'mug', quantity: 1 }] });
  expect(part.body).toMatchObject({ fulfilmentStatus: 'partially_shipped' });
  const tooMuch = await post(staff, `${order}/shipments`, { ...parcel, lines: [{ sku: 'mug', quantity: 2 }] });
  expect(tooMuch).toMatchObject({ status: 409, body: { slug: 'not-so-many-left', errors: [{ field: 'lines[0]' }] } });
  expect(await post(customer, `${order}/cancellations`, {})).toMatchObject({
    status: 409,
    body: { slug: 'order-already-shipped' },
  });
  expect((await post(staff, `${order}/shipments`, parcel)).body).toMatchObject({ fulfilmentStatus: 'shipped' });
});

test('cancelled after the payment, and refunded', { timeout: 120_000 }, async () => {
  const order = await ordered();
  await pay(order);
  expect(await post(customer, `${order}/cancellations`, { reason: 'too slow' })).toMatchObject({
    status: 201,
    body: { status: 'cancelled' },
  });
  await becomes(order, { status: 'cancelled', paymentStatus: 'refunded', refundedMinor: 3390 });
});

test('not paid in time, and expired; its functions slept meanwhile', { timeout: 120_000 }, async () => {
  const order = await ordered();
  await becomes(order, { status: 'expired' });
  expect(await pay(order)).toMatchObject({ status: 409, body: { slug: 'order-expired' } });
  expect((await shop.functionState('expire-order')).lastChange?.why).toContain('COMMANDS/expire-order');
});

test('paid too late: the money that came after the expiry goes back', { timeout: 120_000 }, async () => {
  const { body } = await post(customer, '/v1/orders', { lines: [{ sku: 'mug', quantity: 1 }] });
  const order = `/v1/orders/${body.orderId}`;
  // The provider takes the money at once and answers after four seconds: by then the order has expired.
  await until('the last seconds of the payment window', () => Date.parse(body.paymentDueAt) - Date.now() < 2_000);
  const late = await pay(order, 'tok_late');
  expect(late).toMatchObject({ status: 201, body: { status: 'expired', paymentStatus: 'paid', paidMinor: 1250 } });
  await becomes(order, { status: 'expired', paymentStatus: 'refunded', refundedMinor: 1250 });
});

test('refunded in parts, by staff alone', { timeout: 120_000 }, async () => {
  const order = await ordered();
  await pay(order);
  expect(await post(customer, `${order}/refunds`, { amountMinor: 1 })).toMatchObject({
    status: 403,
    body: { slug: 'wrong-role' },
  });
  expect((await post(staff, `${order}/refunds`, { amountMinor: 1000 })).body).toMatchObject({
    paymentStatus: 'partially_refunded',
  });
  const beyond = await post(staff, `${order}/refunds`, { amountMinor: 3000 });
  expect(beyond).toMatchObject({ status: 409, body: { slug: 'refund-too-large', errors: [{ field: 'amountMinor' }] } });
  expect((await post(staff, `${order}/refunds`, {})).body).toMatchObject({
    status: 'cancelled',
    paymentStatus: 'refunded',
    refundedMinor: 3390,
  });
});

test('If-Match refuses what was decided on an old version', { timeout: 120_000 }, async () => {
  const order = await ordered();
  await pay(order, 'tok_declined');
  const stale = await post(customer, `${order}/payments`, { token: 'tok_ok' }, { 'if-match': '"v1"' });
  expect(stale).toMatchObject({ status: 412, body: { slug: 'version-mismatch' } });
  expect(await post(customer, `${order}/payments`, { token: 'tok_ok' }, { 'if-match': '"v2"' })).toMatchObject({
    status: 201,
  });
  expect(await post(customer, `${order}/payments`, { token: 'tok_ok' }, { 'if-match': 'v2' })).toMatchObject({
    status: 400,
    body: { errors: [{ field: 'If-Match' }] },
  });
});

test("somebody else's order can be neither paid nor cancelled: it is not there", { timeout: 120_000 }, async () => {
  const order = await ordered();
  const stranger = await shop.signUp();
  expect(await post(stranger, `${order}/payments`, { token: 'tok_ok' })).toMatchObject({
    status: 404,
    body: { slug: 'order-not-found' },
  });
  expect(await post(stranger, `${order}/cancellations`, {})).toMatchObject({
    status: 404,
    body: { slug: 'order-not-found' },
  });
  expect(await post(customer, `/v1/orders/${randomUUID()}/payments`, { token: 'tok_ok' })).toMatchObject({
    status: 404,
  });
});

test('the past of every order on these paths is what was answered then', { timeout: 120_000 }, async () => {
  const types = new Set<string>();
  for (const [order, versions] of seen) {
    const { body } = await shop.call('GET', `${order}/events`, { token: customer });
    for (const { type } of body.events) types.add(type);
    for (const [version, answer] of versions)
      expect((await shop.call('GET', `${order}?version=${version}`, { token: customer })).body).toEqual(answer);
  }
  expect([...types].sort()).toEqual(Object.keys(orderEvents).sort());
});

test.each([
  ['payments', {}, 'token'],
  ['payments', { token: '' }, 'token'],
  ['payments', { token: 'tok_ok', amountMinor: 1 }, 'amountMinor'],
  ['cancellations', { reason: 7 }, 'reason'],
  ['shipments', { carrier: 'Post' }, 'trackingNumber'],
  ['shipments', { ...parcel, lines: [] }, 'lines'],
  ['deliveries', { shipmentId: '1' }, 'shipmentId'],
  ['refunds', { amountMinor: -1 }, 'amountMinor'],
])('%s with %j is refused, naming %s', async (what, body, field) => {
  const answer = await post(staff, `/v1/orders/${randomUUID()}/${what}`, body);
  expect(answer).toMatchObject({ status: 400, body: { slug: 'invalid-body' } });
  expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
});
