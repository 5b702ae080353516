import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let shop: Awaited<ReturnType<typeof startShop>>;
let customer: string;
let staff: string;

beforeAll(async () => {
  shop = await startShop();
  customer = await shop.signUp();
  staff = await shop.signIn(shop.demo.staff);
});

afterAll(() => shop?.end());

const mugs = (quantity = 1) => ({ lines: [{ sku: 'mug', quantity }] });

const order = (token: string, body: unknown, key: string = randomUUID(), headers: Record<string, string> = {}) =>
  shop.call('POST', '/v1/orders', { token, body, headers: { 'idempotency-key': key, ...headers } });

test('an order is answered with 201, its place and itself, and can be read there', async () => {
  const created = await order(customer, { ...mugs(2), shippingCountry: 'NL' });
  expect(created.status).toBe(201);
  expect(created.headers.get('location')).toBe(`/v1/orders/${created.body.orderId}`);
  expect(created.body).toMatchObject({
    status: 'open',
    version: 1,
    totalMinor: 2500,
    currency: 'EUR',
    shippingCountry: 'NL',
  });
  const read = await until('the order in the view', async () => {
    const answer = await shop.call('GET', `/v1/orders/${created.body.orderId}`, { token: customer });
    return answer.status === 200 ? answer : undefined;
  });
  expect(read.body).toEqual(created.body);
  const list = await shop.call('GET', '/v1/orders', { token: customer });
  expect(list.body.orders).toEqual([created.body]);
});

test('the same key and body twice is one order and the same answer', async () => {
  const key = randomUUID();
  const first = await order(customer, mugs(), key);
  const second = await order(customer, mugs(), key);
  expect(second).toMatchObject({ status: 201, body: first.body });
  expect(second.headers.get('location')).toBe(first.headers.get('location'));
});

test('fifty requests at once with one key are one order', async () => {
  const token = await shop.signUp();
  const key = randomUUID();
  const answers = await Promise.all(Array.from({ length: 50 }, () => order(token, mugs(), key)));
  expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
  expect(answers[0]?.status).toBe(201);
  const { body } = await until('the order in the view', async () => {
    const list = await shop.call('GET', '/v1/orders', { token });
    return list.body.orders.length > 0 ? list : undefined;
  });
  expect(body.orders).toEqual([answers[0]?.body]);
});

test('the same key with another body is 422, and the same key of another customer is another order', async () => {
  const key = randomUUID();
  const first = await order(customer, mugs(1), key);
  expect(await order(customer, mugs(2), key)).toMatchObject({ status: 422, body: { slug: 'idempotency-key-reused' } });
  const other = await order(await shop.signUp(), mugs(1), key);
  expect(other.status).toBe(201);
  expect(other.body.orderId).not.toBe(first.body.orderId);
});

test('who does not want to wait gets 202 and finds the order later', async () => {
  const accepted = await order(customer, mugs(), randomUUID(), { prefer: 'wait=0' });
  expect(accepted).toMatchObject({ status: 202, body: { status: 'accepted' } });
  const location = accepted.headers.get('location') ?? '';
  await until('the order', async () => (await shop.call('GET', location, { token: customer })).status === 200);
});

test("another customer's order is 404, and staff see it", async () => {
  const { body } = await order(customer, mugs());
  const at = `/v1/orders/${body.orderId}`;
  await until('the order', async () => (await shop.call('GET', at, { token: customer })).status === 200);
  const other = await shop.signUp();
  expect(await shop.call('GET', at, { token: other })).toMatchObject({
    status: 404,
    body: { slug: 'order-not-found' },
  });
  expect((await shop.call('GET', '/v1/orders', { token: other })).body.orders).toEqual([]);
  expect((await shop.call('GET', at, { token: staff })).status).toBe(200);
});

test('staff set products, customers cannot, and the new price is the price of the next order', async () => {
  const product = { name: 'Cup', priceMinor: 990, currency: 'EUR', stock: 3 };
  const put = (token: string, body: unknown = product) => shop.call('PUT', '/v1/products/cup', { token, body });
  expect(await put(customer)).toMatchObject({ status: 403, body: { slug: 'wrong-role' } });
  expect(await put(staff)).toMatchObject({ status: 201, body: { sku: 'cup', ...product } });
  expect(await put(staff, { ...product, priceMinor: 1090 })).toMatchObject({ status: 200 });
  const { body } = await shop.call('GET', '/v1/products');
  expect(body.products).toContainEqual({ sku: 'cup', ...product, priceMinor: 1090 });
  expect(await order(customer, { lines: [{ sku: 'cup', quantity: 1 }] })).toMatchObject({
    status: 201,
    body: { totalMinor: 1090 },
  });
  expect(await order(customer, { lines: [{ sku: 'cup', quantity: 3 }] })).toMatchObject({
    status: 409,
    body: { slug: 'out-of-stock' },
  });
});

test('an account can be read by its owner, without the password', async () => {
  const { body } = await shop.call('GET', '/v1/users/me', { token: customer });
  expect(body).toMatchObject({ role: 'customer', email: expect.stringContaining('@example.com') });
  expect(Object.keys(body).sort()).toEqual([
    'createdAt',
    'email',
    'emailVerifiedAt',
    'name',
    'role',
    'suspendedAt',
    'userId',
  ]);
});

test('a wrong password and an unknown e-mail get the same answer', async () => {
  const { email } = (await shop.call('GET', '/v1/users/me', { token: customer })).body;
  const signIn = (address: string) =>
    shop.call('POST', '/v1/sessions', { body: { email: address, password: 'not the password' } });
  const [wrong, unknown] = [await signIn(email), await signIn('nobody@example.com')];
  expect({ ...wrong.body, traceId: 0 }).toEqual({ ...unknown.body, traceId: 0 });
  expect(wrong.status).toBe(401);
});

type Bad = {
  name: string;
  method?: string;
  path: string;
  who?: 'nobody' | 'staff';
  body?: unknown;
  headers?: Record<string, string>;
  status: number;
  slug: string;
  field?: string;
};

const key = { 'idempotency-key': 'bad-input' };
const line = (changes: object) => ({ lines: [{ sku: 'mug', quantity: 1, ...changes }] });
const credentials = { email: 'x@example.com', password: 'a long enough password' };
const product = { name: 'A', priceMinor: 1, currency: 'EUR', stock: 1 };

const BAD: Bad[] = [
  {
    name: 'an order without a body',
    method: 'POST',
    path: '/v1/orders',
    headers: key,
    status: 415,
    slug: 'not-json-content',
  },
  {
    name: 'an order as a form',
    method: 'POST',
    path: '/v1/orders',
    body: 'lines=1',
    headers: { ...key, 'content-type': 'application/x-www-form-urlencoded' },
    status: 415,
    slug: 'not-json-content',
  },
  {
    name: 'a cut-off body',
    method: 'POST',
    path: '/v1/orders',
    body: '{"lines": [',
    headers: key,
    status: 400,
    slug: 'not-json',
  },
  {
    name: 'a number as body',
    method: 'POST',
    path: '/v1/orders',
    body: '7',
    headers: key,
    status: 400,
    slug: 'not-json',
  },
  {
    name: 'an array as body',
    method: 'POST',
    path: '/v1/orders',
    body: [],
    headers: key,
    status: 400,
    slug: 'invalid-body',
  },
  {
    name: 'no lines',
    method: 'POST',
    path: '/v1/orders',
    body: {},
    headers: key,
    status: 400,
    slug: 'invalid-body',
    field: 'lines',
  },
  {
    name: 'empty lines',
    method: 'POST',
    path: '/v1/orders',
    body: { lines: [] },
    headers: key,
    status: 400,
    slug: 'invalid-body',
    field: 'lines',
  },
  {
    name: 'too many lines',
    method: 'POST',
    path: '/v1/orders',
    body: { lines: Array(101).fill({ sku: 'mug', quantity: 1 }) },
    headers: key,
    status: 400,
    slug: 'invalid-body',
    field: 'lines',
  },
  {
    name: 'a quantity of text',
    method: 'POST',
    path: '/v1/orders',
    body: line({ quantity: '1' }),
    headers: key,
    status: 400,
    slug: 'invalid-body',
    field: 'lines[0].quantity',
  },
  {
    name: 'a quantity of nothing',
    method: 'POST',
    path: '/v1/orders',
    body: line({ quantity: 0 }),
    headers: key,
    status: 400,
    slug: 'invalid-body',
    field: 'lines[0].quantity',
  },
  {
    name: 'a broken quantity',
    method: 'POST',
    path: '/v1/orders',
    body: line({ quantity: 1.5 }),
    headers: key,
    status: 400,
    slug: 'invalid-body',
    field: 'lines[0].quantity',
  },
  {
    name: 'a quantity beyond numbers',
    method: 'POST',
    path: '/v1/orders',
    body: '{"lines":[{"sku":"mug","quantity":1e999}]}',
    headers: key,
    status: 400,
    slug: 'invalid-body',
    field: 'lines[0].quantity',
  },
  {
    name: 'a strange sku',
    method: 'POST',
    path: '/v1/orders',
    body: line({ sku: "'; drop table" }),
    headers: key,
    status: 400,
    slug: 'invalid-body',
    field: 'lines[0].sku',
  },
  {
    name: 'a sku with a null byte',
    method: 'POST',
    path: '/v1/orders',
    body: line({ sku: 'a\u0000b' }),
    headers: key,
    status: 400,
    slug: 'invalid-body',
    field: 'lines[0].sku',
  },
  {
    name: 'a price from the client',
    method: 'POST',
    path: '/v1/orders',
    body: line({ unitPriceMinor: 1 }),
    headers: key,
    status: 400,
    slug: 'invalid-body',
    field: 'lines[0].unitPriceMinor',
  },
  {
    name: 'somebody else as customer',
    method: 'POST',
    path: '/v1/orders',
    body: { ...mugs(), customerId: randomUUID() },
    headers: key,
    status: 400,
    slug: 'invalid-body',
    field: 'customerId',
  },
  {
    name: 'an unknown country',
    method: 'POST',
    path: '/v1/orders',
    body: { ...mugs(), shippingCountry: 'Holland' },
    headers: key,
    status: 400,
    slug: 'invalid-body',
    field: 'shippingCountry',
  },
  {
    name: 'a product that is not sold',
    method: 'POST',
    path: '/v1/orders',
    body: line({ sku: 'unicorn' }),
    headers: { 'idempotency-key': 'unicorn' },
    status: 409,
    slug: 'unknown-product',
    field: 'lines[0].sku',
  },
  {
    name: 'no idempotency key',
    method: 'POST',
    path: '/v1/orders',
    body: mugs(),
    status: 400,
    slug: 'no-idempotency-key',
    field: 'Idempotency-Key',
  },
  {
    name: 'a huge body',
    method: 'POST',
    path: '/v1/orders',
    body: { pad: 'x'.repeat(1_200_000) },
    headers: key,
    status: 413,
    slug: 'body-too-large',
  },
  {
    name: 'an order by nobody',
    method: 'POST',
    path: '/v1/orders',
    who: 'nobody',
    body: mugs(),
    headers: key,
    status: 401,
    slug: 'no-token',
  },
  {
    name: 'a token that is none',
    path: '/v1/orders',
    who: 'nobody',
    headers: { authorization: 'Bearer abc' },
    status: 401,
    slug: 'invalid-token',
  },
  {
    name: 'another scheme',
    path: '/v1/orders',
    who: 'nobody',
    headers: { authorization: 'Basic abc' },
    status: 401,
    slug: 'no-token',
  },
  { name: 'an id that is none', path: '/v1/orders/1', status: 400, slug: 'invalid-path', field: 'orderId' },
  { name: 'an order that is none', path: `/v1/orders/${randomUUID()}`, status: 404, slug: 'order-not-found' },
  { name: 'a limit beyond reason', path: '/v1/orders?limit=1000', status: 400, slug: 'invalid-query', field: 'limit' },
  { name: 'an unknown query', path: '/v1/orders?color=red', status: 400, slug: 'invalid-query', field: 'color' },
  { name: 'a broken escape in the path', path: '/v1/orders/%E0%A4%A', status: 400, slug: 'bad-request' },
  { name: 'a path that is not there', path: '/v1/unicorns', status: 404, slug: 'no-such-path' },
  { name: 'a method that is not there', method: 'DELETE', path: '/v1/orders', status: 405, slug: 'method-not-allowed' },
  {
    name: 'a user without password',
    method: 'POST',
    path: '/v1/users',
    body: { email: 'x@example.com' },
    status: 400,
    slug: 'invalid-body',
    field: 'password',
  },
  {
    name: 'a user with a short password',
    method: 'POST',
    path: '/v1/users',
    body: { ...credentials, password: 'short' },
    status: 400,
    slug: 'invalid-user',
    field: 'password',
  },
  {
    name: 'a user without an e-mail',
    method: 'POST',
    path: '/v1/users',
    body: { ...credentials, email: 'nobody' },
    status: 400,
    slug: 'invalid-user',
    field: 'email',
  },
  {
    name: 'an e-mail with a line break',
    method: 'POST',
    path: '/v1/users',
    body: { ...credentials, email: 'x@example.com\r\nBcc: y@example.com' },
    status: 400,
    slug: 'invalid-user',
    field: 'email',
  },
  {
    name: 'an e-mail of a number',
    method: 'POST',
    path: '/v1/users',
    body: { ...credentials, email: 7 },
    status: 400,
    slug: 'invalid-body',
    field: 'email',
  },
  {
    name: 'a role of choice',
    method: 'POST',
    path: '/v1/users',
    body: { ...credentials, role: 'staff' },
    status: 400,
    slug: 'invalid-body',
    field: 'role',
  },
  {
    name: 'a session without e-mail',
    method: 'POST',
    path: '/v1/sessions',
    body: { password: 'x' },
    status: 400,
    slug: 'invalid-body',
    field: 'email',
  },
  {
    name: 'a product without a price',
    method: 'PUT',
    path: '/v1/products/cup',
    who: 'staff',
    body: { ...product, priceMinor: undefined },
    status: 400,
    slug: 'invalid-body',
    field: 'priceMinor',
  },
  {
    name: 'a product with a negative stock',
    method: 'PUT',
    path: '/v1/products/cup',
    who: 'staff',
    body: { ...product, stock: -1 },
    status: 400,
    slug: 'invalid-body',
    field: 'stock',
  },
  {
    name: 'a product with a null byte',
    method: 'PUT',
    path: '/v1/products/cup',
    who: 'staff',
    body: { ...product, name: 'a\u0000' },
    status: 400,
    slug: 'invalid-body',
    field: 'name',
  },
  {
    name: 'a product in a made-up currency',
    method: 'PUT',
    path: '/v1/products/cup',
    who: 'staff',
    body: { ...product, currency: 'euro' },
    status: 400,
    slug: 'invalid-body',
    field: 'currency',
  },
  {
    name: 'a product with a bad sku',
    method: 'PUT',
    path: '/v1/products/A%20B',
    who: 'staff',
    body: product,
    status: 400,
    slug: 'invalid-path',
    field: 'sku',
  },
];

test.each(BAD)(
  '$name is refused with $status $slug',
  async ({ method = 'GET', path, who, body, headers = {}, status, slug, field }) => {
    const token = who === 'nobody' ? {} : { token: who === 'staff' ? staff : customer };
    const answer = await shop.call(method, path, { ...token, body, headers });
    expect({ status: answer.status, slug: answer.body.slug, detail: answer.body.detail }).toMatchObject({
      status,
      slug,
    });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({
      type: `urn:millrace:problem:${slug}`,
      status,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    if (field) expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  },
);

test.each([
  ['DELETE', '/v1/orders', 'POST, GET, HEAD'],
  ['OPTIONS', '/v1/users/me', 'PATCH, GET, HEAD'],
  ['POST', '/docs', 'GET, HEAD'],
  ['POST', '/_local/mail', 'GET, HEAD'],
])('%s %s is answered with the methods that the functions there take', async (method, path, allow) => {
  const answer = await shop.call(method, path, { token: customer });
  expect({ status: answer.status, allow: answer.headers.get('allow') }).toEqual({ status: 405, allow });
});

test('an e-mail can have one account', async () => {
  const account = { email: 'twice@example.com', password: 'a long enough password' };
  expect((await shop.call('POST', '/v1/users', { body: account })).status).toBe(201);
  const again = await shop.call('POST', '/v1/users', { body: { ...account, email: 'Twice@Example.com' } });
  expect(again).toMatchObject({ status: 409, body: { slug: 'email-taken' } });
});
