import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { repository } from '../../scripts/registry/repository.ts';
import { isOfWebhooks } from '../support/accounts.ts';
import { answered, operations } from '../support/contract.ts';
import { type Receiver, startReceiver, verified } from '../support/receiver.ts';
import { startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

const PATH = '/v1/webhook-endpoints';

let shop: Awaited<ReturnType<typeof startShop>>;
let customer: string;
let staff: string;
const receivers: Receiver[] = [];
const endpoints: string[] = [];

beforeAll(async () => {
  // Longer than it takes the function to fall asleep, from the third attempt on.
  shop = await startShop({ WEBHOOK_RETRY_SECONDS: '1,2,25,25' });
  customer = await shop.signUp();
  staff = await shop.signIn(shop.demo.staff);
});

afterEach(async () => {
  for (const id of endpoints.splice(0)) await call('DELETE', `${PATH}/${id}`);
  for (const receiver of receivers.splice(0)) await receiver.close();
});

afterAll(() => shop?.end());

const call = (method: string, path: string, body?: unknown, key: string = randomUUID(), token = staff) =>
  shop.call(method, path, {
    token,
    ...(body === undefined ? {} : { body }),
    headers: method === 'POST' ? { 'idempotency-key': key } : {},
  });

async function partner(more: object = {}) {
  const receiver = await startReceiver();
  receivers.push(receiver);
  const { status, body } = await call('POST', PATH, { url: receiver.url, eventTypes: ['order.created'], ...more });
  expect(status).toBe(201);
  endpoints.push(body.endpointId);
  const at = `${PATH}/${body.endpointId}`;
  return {
    receiver,
    at,
    secret: body.secret as string,
    deliveries: async (query = '') => (await call('GET', `${at}/deliveries${query}`)).body.deliveries,
  };
}

async function order(): Promise<string> {
  const body = { lines: [{ sku: 'mug', quantity: 1 }] };
  const answer = await call('POST', '/v1/orders', body, randomUUID(), customer);
  expect(answer.status).toBe(201);
  return answer.body.orderId;
}

const replicas = async (): Promise<number> => (await shop.functionState('webhooks')).replicas;

test('an order reaches a partner, who verifies it with a library of theirs', async () => {
  const { receiver, secret, deliveries, at } = await partner({ description: 'the warehouse' });
  const orderId = await order();
  const got = await until('the delivery', () => receiver.received[0]);
  expect(verified(secret, got)).toMatchObject({ type: 'order.created', data: { order: { orderId, status: 'open' } } });
  await until('it to be noted', async () => (await deliveries())[0]?.status === 'delivered');
  expect((await call('GET', at)).body).toMatchObject({
    url: receiver.url,
    description: 'the warehouse',
    enabled: true,
  });
  expect((await call('GET', at)).body).not.toHaveProperty('secret');
});

test('the commands of the README make an endpoint and test it, and its function tells what is genuine', async () => {
  const receiver = await startReceiver();
  receivers.push(receiver);
  const readme = await readFile(path.join(repository, 'functions/README.md'), 'utf8');
  const [, section = ''] = /^## Webhooks\n(.*?)^## /ms.exec(readme) ?? [];
  const [, commands = ''] = /```sh\n(.*?)```/s.exec(section) ?? [];
  const script = commands
    .replaceAll('http://127.0.0.1:8080', shop.endpoints.http)
    .replaceAll('http://127.0.0.1:9000/', receiver.url);
  const run = { cwd: shop.dataDir, env: { ...process.env, STAFF: staff } };
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], run);
  expect(stdout).toContain('"type":"webhook.test"');
  const { endpointId, secret } = JSON.parse(await readFile(path.join(shop.dataDir, 'endpoint.json'), 'utf8'));
  endpoints.push(endpointId);
  const got = await until('the test', () => receiver.received[0]);
  const [, code = ''] = /```js\n(.*?)```/s.exec(section) ?? [];
  const { isGenuine } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  const at = String(Number(got.headers['webhook-timestamp']) - 600);
  expect(isGenuine(secret, got.headers, got.body)).toBe(true);
  expect(isGenuine(secret, got.headers, `${got.body} `)).toBe(false);
  expect(isGenuine(secret, { ...got.headers, 'webhook-timestamp': at }, got.body)).toBe(false);
  for (const lacking of ['webhook-id', 'webhook-timestamp', 'webhook-signature'])
    expect(isGenuine(secret, { ...got.headers, [lacking]: undefined }, got.body), lacking).toBe(false);
});

test('an endpoint is made once however often it is asked for, its secret is shown once, and another with its key is refused', async () => {
  const key = randomUUID();
  const wanted = { url: 'https://partner.example/hooks', eventTypes: ['*'] };
  const [first, again] = [await call('POST', PATH, wanted, key), await call('POST', PATH, wanted, key)];
  endpoints.push(first.body.endpointId);
  expect(first.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(again).toMatchObject({ status: 201, body: { ...first.body, secret: null } });
  expect((await call('GET', PATH)).body.endpoints).toHaveLength(1);
  expect(await call('POST', PATH, { ...wanted, eventTypes: ['order.paid'] }, key)).toMatchObject({
    status: 422,
    body: { slug: 'idempotency-key-reused' },
  });
  for (const bad of [
    'https://partner.example/\u0000',
    'https://10.0.0.1./',
    `https://partner.example/${'a'.repeat(2_000)}`,
  ])
    expect((await call('PATCH', `${PATH}/${first.body.endpointId}`, { url: bad })).status, bad).toBe(400);
  const changed = await call('PATCH', `${PATH}/${first.body.endpointId}`, { eventTypes: ['order.paid'] });
  expect(changed).toMatchObject({ status: 200, body: { eventTypes: ['order.paid'], url: wanted.url } });
});

test('only staff see and make endpoints, only with a key, and what is wrong is named', async () => {
  const wanted = { url: 'https://partner.example/hooks', eventTypes: ['*'] };
  expect((await call('POST', PATH, wanted, randomUUID(), customer)).status).toBe(403);
  expect((await call('GET', PATH, undefined, '', customer)).status).toBe(403);
  expect(await shop.call('POST', PATH, { token: staff, body: wanted })).toMatchObject({
    body: { slug: 'no-idempotency-key' },
  });
  for (const [field, body] of [
    ['url', { ...wanted, url: 'https://169.254.169.254/latest/meta-data' }],
    ['url', { ...wanted, url: 'https://0xa000001/' }],
    ['eventTypes[0]', { ...wanted, eventTypes: ['order.eaten'] }],
  ] as const)
    expect((await call('POST', PATH, body)).body.errors?.[0]?.field ?? 'none').toBe(field);
  const nobody = `${PATH}/${randomUUID()}`;
  for (const [method, path] of [
    ['GET', nobody],
    ['GET', `${nobody}/deliveries`],
    ['PATCH', nobody],
    ['POST', `${nobody}/rotate-secret`],
    ['POST', `${nobody}/deliveries/${randomUUID()}/redeliver`],
  ] as const)
    expect((await call(method, path, method === 'PATCH' ? {} : undefined)).status, `${method} ${path}`).toBe(404);
  expect((await call('DELETE', nobody)).status).toBe(204);
});

test('after a rotation both secrets verify, and a delivery can be tested, listed by pages and asked for again', async () => {
  const { receiver, secret, at, deliveries } = await partner();
  const rotated = await call('POST', `${at}/rotate-secret`);
  expect(Date.parse(rotated.body.oldSecretExpiresAt) - Date.now()).toBeGreaterThan(23 * 3_600_000);
  const tested = await call('POST', `${at}/test`);
  expect(tested).toMatchObject({ status: 202, body: { type: 'webhook.test', status: 'pending' } });
  const got = await until('the test', () => receiver.received[0]);
  for (const one of [secret, rotated.body.secret]) expect(verified(one, got)).toMatchObject({ type: 'webhook.test' });
  const { deliveryId } = tested.body;
  await until('it to be noted', async () => (await deliveries())[0]?.status === 'delivered');
  expect((await call('POST', `${at}/deliveries/${deliveryId}/redeliver`)).status).toBe(202);
  const again = await until('it once more', () => receiver.received[1]);
  expect(again.headers['webhook-id']).toBe(got.headers['webhook-id']);
  expect(again.body).toBe(got.body);
  await until('it to be noted', async () => (await deliveries('?status=delivered'))[0]?.attempts === 2);
  await call('POST', `${at}/test`);
  await until('the other', async () => (await deliveries()).length === 2);
  const page = await call('GET', `${at}/deliveries?limit=1`);
  const [, next = ''] = /<(.*)>; rel="next"/.exec(page.headers.get('link') ?? '') ?? [];
  expect((await call('GET', next)).body.deliveries).toMatchObject([{ deliveryId }]);
});

test('410 disables an endpoint, which is not tested until it is enabled again', async () => {
  const { receiver, at } = await partner();
  receiver.answer((response) => response.writeHead(410).end());
  await order();
  await until('it to be disabled', async () => !(await call('GET', at)).body.enabled);
  expect(await call('POST', `${at}/test`)).toMatchObject({ status: 409, body: { slug: 'endpoint-disabled' } });
  const enabled = await call('PATCH', at, { enabled: true });
  expect(enabled.body).toMatchObject({ enabled: true, disabledReason: null });
  expect((await call('POST', `${at}/test`)).status).toBe(202);
});

test('what an endpoint misses while it is down waits in NATS, the function at zero, and arrives once it is up', async () => {
  const { receiver, secret, deliveries } = await partner();
  await receiver.down();
  const orders: string[] = [];
  for (let made = 0; made < 3; made += 1) orders.push(await order());
  const triedThrice = async (): Promise<number> =>
    (await deliveries()).filter(({ attempts }: { attempts: number }) => attempts === 3).length;
  await until('three attempts of each', async () => (await triedThrice()) === 3);
  const planned: { deliveryId: string; nextAttemptAt: string }[] = await deliveries();
  const due = new Map(planned.map((one) => [one.deliveryId, Date.parse(one.nextAttemptAt)]));
  await until('the function to be at zero', async () => (await replicas()) === 0);
  expect(Math.min(...due.values())).toBeGreaterThan(Date.now());
  expect(receiver.received).toEqual([]);
  await receiver.up();
  await until('all to arrive', () => receiver.received.length === 3, 60_000);
  expect(new Set(receiver.received.map((got) => verified(secret, got).data.order.orderId))).toEqual(new Set(orders));
  const inOrder = planned.toSorted((a, b) => Date.parse(a.nextAttemptAt) - Date.parse(b.nextAttemptAt));
  expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual(
    inOrder.map(({ deliveryId }) => deliveryId),
  );
  await until('all to be noted', async () => (await deliveries('?status=delivered')).length === 3);
  expect(await deliveries()).toMatchObject(orders.map(() => ({ attempts: 4, lastReason: 'answered 204' })));
}, 150_000);

test('every operation on endpoints of webhooks has been answered as the document says', () => {
  expect([...answered].filter(isOfWebhooks).sort()).toEqual(operations.filter(isOfWebhooks).sort());
});
