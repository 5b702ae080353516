import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isOfAccounts, isOfNotifications, isOfWebhooks } from '../support/accounts.ts';
import { answered, operations } from '../support/contract.ts';
import { type Answer, startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let shop: Awaited<ReturnType<typeof startShop>>;
let customer: string;
let staff: string;
let database: pg.Client;

beforeAll(async () => {
  shop = await startShop();
  database = new pg.Client(shop.endpoints.postgres);
  await database.connect();
  customer = await shop.signUp();
  staff = await shop.signIn(shop.demo.staff);
});

afterAll(async () => {
  await database?.end();
  await shop?.end();
});

const mugs = (quantity = 1) => ({ lines: [{ sku: 'mug', quantity }] });

const post = (token: string, path: string, body: unknown) =>
  shop.call('POST', path, { token, body, headers: { 'idempotency-key': randomUUID(), prefer: 'wait=25' } });
const get = (token: string, path: string, headers: Record<string, string> = {}) =>
  shop.call('GET', path, { token, headers });

/** Reads what a write answered with: the ETag of the write is enough. */
const readAfter = (token: string, write: Awaited<ReturnType<typeof post>>) =>
  get(token, write.headers.get('location') ?? '', {
    'if-match': write.headers.get('etag') ?? '',
    prefer: 'wait=25',
  });

const created = async (token: string, quantity = 1): Promise<string> => {
  const write = await post(token, '/v1/orders', mugs(quantity));
  await readAfter(token, write);
  return write.body.orderId;
};

test('a read with the ETag of a write sees the write, however far behind the view is', async () => {
  const write = await post(customer, '/v1/orders', mugs(2));
  expect(write.headers.get('etag')).toBe('"v1"');
  const read = await readAfter(customer, write);
  expect(read).toMatchObject({ status: 200, body: write.body });
  const paid = await post(customer, `/v1/orders/${write.body.orderId}/payments`, { token: 'tok_ok' });
  expect(paid).toMatchObject({ status: 201, body: { version: 2, paymentStatus: 'paid' } });
  expect(paid.headers.get('etag')).toBe('"v2"');
  const afterwards = await readAfter(customer, paid);
  expect(afterwards).toMatchObject({ status: 200, body: paid.body });
  expect(afterwards.headers.get('etag')).toBe('"v2"');
});

test('a version that does not come in time is 412, and waiting is as long as was asked', async () => {
  const orderId = await created(customer);
  const began = Date.now();
  const answer = await get(customer, `/v1/orders/${orderId}`, { 'if-match': '"v9"', prefer: 'wait=1' });
  expect(answer).toMatchObject({ status: 412, body: { slug: 'version-not-reached' } });
  expect(Date.now() - began).toBeGreaterThanOrEqual(1_000);
  const wrong = await get(customer, `/v1/orders/${orderId}`, { 'if-match': 'v1' });
  expect(wrong).toMatchObject({ status: 400, body: { errors: [{ field: 'If-Match' }] } });
});

test('an order that is not in the view yet is waited for on request, and 404 when it never comes', async () => {
  const write = await post(customer, '/v1/orders', mugs());
  const read = await get(customer, `/v1/orders/${write.body.orderId}`, { prefer: 'wait=25' });
  expect(read).toMatchObject({ status: 200, body: write.body });
  const began = Date.now();
  const never = await get(customer, `/v1/orders/${randomUUID()}`, { prefer: 'wait=1' });
  expect(never).toMatchObject({ status: 404, body: { slug: 'order-not-found' } });
  expect(Date.now() - began).toBeGreaterThanOrEqual(1_000);
});

test('who has the newest version gets 304 without content', async () => {
  const at = `/v1/orders/${await created(customer)}`;
  const first = await get(customer, at);
  const etag = first.headers.get('etag') ?? '';
  const second = await get(customer, at, { 'if-none-match': `"v0", W/${etag}` });
  expect(second).toMatchObject({ status: 304, body: undefined });
  expect(second.headers.get('etag')).toBe(etag);
  expect(await get(customer, at, { 'if-none-match': '"v7"' })).toMatchObject({ status: 200, body: first.body });
});

/** The pages of a listing, from its first path on, by their Link headers. */
async function pages(token: string, path: string, between: () => Promise<unknown> = async () => undefined) {
  const found: string[][] = [];
  for (let at: string | undefined = path; at; ) {
    const page: Answer<{ orders: { orderId: string }[] }> = await get(token, at);
    expect(page.status).toBe(200);
    found.push(page.body.orders.map(({ orderId }) => orderId));
    at = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    await between();
  }
  return found;
}

test('pages hold every order once, newest first, though orders arrive meanwhile', async () => {
  const token = await shop.signUp();
  const orders: string[] = [];
  for (let index = 0; index < 5; index += 1) orders.unshift(await created(token));
  const found = await pages(token, '/v1/orders?limit=2', () => created(token));
  expect(found).toEqual([orders.slice(0, 2), orders.slice(2, 4), orders.slice(4)]);
});

test('a page that ends with the last order has no next page', async () => {
  const token = await shop.signUp();
  const orders = [await created(token), await created(token)];
  expect(await pages(token, '/v1/orders?limit=2')).toEqual([orders.toReversed()]);
});

test('orders can be listed by status and by the time of their creation', async () => {
  const token = await shop.signUp();
  const [first, second, third] = [await created(token), await created(token), await created(token)];
  const cancelled = await post(token, `/v1/orders/${second}/cancellations`, {});
  const { body } = await readAfter(token, cancelled);
  const since = encodeURIComponent(body.createdAt.replace('Z', '+00:00'));
  expect(await pages(token, '/v1/orders?status=open&limit=1')).toEqual([[third], [first]]);
  expect(await pages(token, '/v1/orders?status=cancelled')).toEqual([[second]]);
  expect(await pages(token, `/v1/orders?created_after=${since}`)).toEqual([[third, second]]);
  expect(await pages(token, `/v1/orders?created_before=${since}`)).toEqual([[first]]);
  expect(await pages(token, `/v1/orders?status=open&created_after=${since}&created_before=${since}`)).toEqual([[]]);
});

test('staff page through the orders of everybody', async () => {
  const other = await shop.signUp();
  const orders = [await created(customer), await created(other)];
  const found = await pages(staff, '/v1/orders?limit=3');
  expect(found.flat()).toEqual(expect.arrayContaining(orders));
  expect(new Set(found.flat()).size).toBe(found.flat().length);
});

test('every version of an order is read as it was answered at that time, by version and by time', async () => {
  const write = await post(customer, '/v1/orders', mugs(2));
  const at = `/v1/orders/${write.body.orderId}`;
  const seen = [(await readAfter(customer, write)).body];
  const steps: [string, string, unknown][] = [
    [customer, 'payments', { token: 'tok_declined' }],
    [customer, 'payments', { token: 'tok_ok' }],
    [staff, 'shipments', { carrier: 'PostNL', trackingNumber: '3S1', lines: [{ sku: 'mug', quantity: 1 }] }],
    [staff, 'refunds', { amountMinor: 100 }],
  ];
  for (const [token, what, body] of steps) {
    const step = await post(token, `${at}/${what}`, body);
    expect(step).toMatchObject({ status: 201, body: { orderId: write.body.orderId } });
    const read = await readAfter(token, step);
    expect(read).toMatchObject({ status: 200, body: step.body });
    seen.push(read.body);
  }
  expect(seen.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5]);
  const { body } = await get(customer, `${at}/events`);
  for (const [index, order] of seen.entries()) {
    const past = await get(customer, `${at}?version=${index + 1}`);
    expect(past).toMatchObject({ status: 200, body: order });
    expect(past.headers.get('etag')).toBe(`"v${index + 1}"`);
    expect((await get(customer, `${at}?at=${body.events[index].at}`)).body).toEqual(order);
  }
});

test('a version or a time before the order is 404 version-not-found; both at once are 400', async () => {
  const at = `/v1/orders/${await created(customer)}`;
  for (const query of ['version=2', 'at=2000-01-01T00:00:00Z'])
    expect(await get(customer, `${at}?${query}`)).toMatchObject({ status: 404, body: { slug: 'version-not-found' } });
  expect(await get(customer, `${at}?version=1&at=2100-01-01T00:00:00Z`)).toMatchObject({
    status: 400,
    body: { slug: 'invalid-query', errors: [{ field: 'at' }] },
  });
});

test('the history of an order says what, when, by whom, by which command and trace', async () => {
  const orderId = await created(customer);
  const traceId = '0123456789abcdef0123456789abcdef';
  await shop.call('POST', `/v1/orders/${orderId}/payments`, {
    token: customer,
    body: { token: 'tok_ok' },
    headers: { 'idempotency-key': randomUUID(), prefer: 'wait=25', traceparent: `00-${traceId}-0123456789abcdef-01` },
  });
  const { body: me } = await get(customer, '/v1/users/me');
  const { body } = await get(customer, `/v1/orders/${orderId}/events`);
  expect(body.events).toMatchObject([
    { version: 1, type: 'order.created', actor: me.userId, data: { lines: [{ sku: 'mug', quantity: 1 }] } },
    { version: 2, type: 'order.paid', actor: me.userId, traceId, data: { amountMinor: 1250 } },
  ]);
  expect(new Set(body.events.map(({ commandId }: { commandId: string }) => commandId)).size).toBe(2);
});

test('the history of an order comes in pages', async () => {
  const orderId = await created(customer);
  await post(customer, `/v1/orders/${orderId}/payments`, { token: 'tok_declined' });
  await post(customer, `/v1/orders/${orderId}/payments`, { token: 'tok_ok' });
  const at = `/v1/orders/${orderId}/events`;
  const versions = ({ body }: Answer<{ events: { version: number }[] }>) => body.events.map(({ version }) => version);
  const first = await get(customer, `${at}?limit=2`);
  expect([versions(first), first.headers.get('link')]).toEqual([[1, 2], `<${at}?limit=2&cursor=2>; rel="next"`]);
  const last = await get(customer, `${at}?limit=2&cursor=2`);
  expect([versions(last), last.headers.get('link')]).toEqual([[3], null]);
  expect((await get(customer, `${at}?limit=3`)).headers.get('link')).toBeNull();
});

test("another customer's order has no past and no history either", async () => {
  const orderId = await created(customer);
  const other = await shop.signUp();
  for (const path of ['', '?version=1', '?at=2100-01-01T00:00:00Z', '/events', '/events?cursor=1']) {
    const hidden = await get(other, `/v1/orders/${orderId}${path}`);
    expect(hidden).toMatchObject({ status: 404, body: { slug: 'order-not-found' } });
  }
  expect(await get(other, `/v1/orders/${orderId}`, { 'if-match': '"v1"', prefer: 'wait=0' })).toMatchObject(
    await get(other, `/v1/orders/${randomUUID()}`, { 'if-match': '"v1"', prefer: 'wait=0' }).then(
      ({ status, body }) => ({
        status,
        body: { slug: body.slug },
      }),
    ),
  );
  expect((await get(staff, `/v1/orders/${orderId}/events`)).status).toBe(200);
});

test('sales of a day count its orders, payments and refunds, by currency', async () => {
  const today = new Date().toISOString().slice(0, 10);
  const sales = async () => {
    const { body } = await get(staff, `/v1/sales?from=${today}&to=${new Date().toISOString().slice(0, 10)}`);
    const total = { orders: 0, revenueMinor: 0, refunds: 0, refundedMinor: 0 };
    for (const day of body.sales.filter(({ currency }: { currency: string }) => currency === 'EUR'))
      for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += day[key];
    return total;
  };
  const settled = () =>
    until('the view of sales', async () => {
      const { rows } = await database.query<{ behind: number }>(
        `select count(*)::integer as behind from order_events left join sales_view using (order_id, version)
         where sales_view.order_id is null and type in ('order.created', 'order.paid', 'order.refunded')`,
      );
      return rows[0]?.behind === 0;
    });
  await settled();
  const before = await sales();
  const orderId = await created(customer, 2);
  await post(customer, `/v1/orders/${orderId}/payments`, { token: 'tok_ok' });
  await post(staff, `/v1/orders/${orderId}/refunds`, { amountMinor: 700 });
  await post(staff, `/v1/orders/${orderId}/refunds`, { amountMinor: 300 });
  await settled();
  expect(await sales()).toEqual({
    orders: before.orders + 1,
    revenueMinor: before.revenueMinor + 2_500,
    refunds: before.refunds + 2,
    refundedMinor: before.refundedMinor + 1_000,
  });
});

test('sales are for staff', async () => {
  expect(await get(customer, '/v1/sales?from=2026-01-01&to=2026-01-02')).toMatchObject({
    status: 403,
    body: { slug: 'wrong-role' },
  });
});

const GARBAGE = Buffer.from('["2026-01-01T00:00:00Z", "1"]').toString('base64url');

test.each([
  ['/v1/orders?cursor=garbage', ['cursor']],
  [`/v1/orders?cursor=${GARBAGE}`, ['cursor']],
  ['/v1/orders?limit=0', ['limit']],
  ['/v1/orders?limit=101', ['limit']],
  ['/v1/orders?status=lost', ['status']],
  ['/v1/orders?created_after=yesterday', ['created_after']],
  ['/v1/orders?created_before=0000-01-01T00:00:00Z', ['created_before']],
  ['/v1/orders?colour=red', ['colour']],
  [`/v1/orders/${randomUUID()}?version=0`, ['version']],
  [`/v1/orders/${randomUUID()}?version=3000000000`, ['version']],
  [`/v1/orders/${randomUUID()}?at=2026-02-30T00:00:00Z`, ['at']],
  ['/v1/sales', ['from', 'to']],
  ['/v1/sales?from=2026-01-01&to=tomorrow', ['to']],
  ['/v1/sales?from=2026-01-02&to=2026-01-01', ['to']],
  ['/v1/sales?from=2026-01-01&to=2027-01-02', ['to']],
])('GET %s is 400 and names %j, nothing else', async (path, fields) => {
  const { status, body } = await get(staff, path);
  expect(status).toBe(400);
  expect(body.errors.map(({ field }: { field: string }) => field)).toEqual(fields);
});

test('a whole leap year of sales can be asked for', async () => {
  expect((await get(staff, '/v1/sales?from=2028-01-01&to=2028-12-31')).status).toBe(200);
});

test('the document and its page are served, the page without anything from elsewhere', async () => {
  const { body } = await shop.call('GET', '/openapi.json');
  expect(Object.keys(body.paths)).toContain('/v1/orders/{orderId}/events');
  const page = await shop.call('GET', '/docs');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.body).toContain('/v1/orders/{orderId}/events');
});

test('every operation of the document that is not on accounts has been answered as it says', async () => {
  await shop.call('PUT', '/v1/products/cup', {
    token: staff,
    body: { name: 'Cup', priceMinor: 990, currency: 'EUR', stock: 3 },
  });
  await shop.call('GET', '/v1/products');
  const orderId = await created(customer);
  const shipped = await post(customer, `/v1/orders/${orderId}/payments`, { token: 'tok_ok' }).then(() =>
    post(staff, `/v1/orders/${orderId}/shipments`, { carrier: 'PostNL', trackingNumber: '3S2' }),
  );
  const { shipmentId } = shipped.body.shipments[0];
  expect(await post(staff, `/v1/orders/${orderId}/deliveries`, { shipmentId })).toMatchObject({
    status: 201,
    body: { status: 'completed', fulfilmentStatus: 'delivered' },
  });
  await shop.call('POST', '/v1/events', {
    token: staff,
    body: [],
    headers: { 'content-type': 'application/cloudevents-batch+json' },
  });
  const others = (names: Iterable<string>) =>
    [...names].filter((name) => !isOfAccounts(name) && !isOfNotifications(name) && !isOfWebhooks(name)).sort();
  expect(others(answered)).toEqual(others(operations));
});
