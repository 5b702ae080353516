import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository } from '../../scripts/registry/repository.ts';
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

const parcel = { carrier: 'Post', trackingNumber: 'NL-1' };
const event = (type: string, data: object, more: object = {}) => ({
  specversion: '1.0',
  id: randomUUID(),
  source: '/test',
  type,
  data,
  ...more,
});

const push = (body: unknown, headers: Record<string, string> = {}, token = staff) => {
  const form = Array.isArray(body) ? 'cloudevents-batch' : 'cloudevents';
  return shop.call('POST', '/v1/events', {
    token,
    body,
    headers: { 'content-type': `application/${form}+json`, ...headers },
  });
};

async function paidOrder(): Promise<string> {
  const send = (at: string, body: object) =>
    shop.call('POST', at, {
      token: customer,
      body,
      headers: { 'idempotency-key': randomUUID(), prefer: 'wait=20' },
    });
  const { body } = await send('/v1/orders', { lines: [{ sku: 'mug', quantity: 2 }] });
  expect(await send(`/v1/orders/${body.orderId}/payments`, { token: 'tok_ok' })).toMatchObject({ status: 201 });
  return body.orderId;
}

const becomes = (orderId: string, what: object, token = customer) =>
  until(`order ${orderId} to become ${JSON.stringify(what)}`, async () => {
    const { body } = await shop.call('GET', `/v1/orders/${orderId}`, { token });
    return Object.entries(what).every(([key, value]) => body[key] === value) ? body : undefined;
  });

const typesOf = async (orderId: string): Promise<string[]> =>
  (await shop.call('GET', `/v1/orders/${orderId}/events`, { token: staff })).body.events.map(
    ({ type }: { type: string }) => type,
  );

test('a pushed event wakes its function from zero, in each of the three forms', { timeout: 120_000 }, async () => {
  const orderId = await paidOrder();
  const shipped = event(
    'command.order.ship',
    { ...parcel, lines: [{ sku: 'mug', quantity: 1 }] },
    { subject: orderId },
  );
  const structured = await push(shipped);
  expect(structured.status).toBe(202);
  const [{ commandId }] = structured.body.events;
  expect(structured.body.events).toEqual([
    { source: '/test', id: shipped.id, type: 'command.order.ship', orderId, commandId },
  ]);
  const { shipments } = await becomes(orderId, { fulfilmentStatus: 'partially_shipped' });
  expect(shipments).toMatchObject([{ shipmentId: commandId, ...parcel }]);

  const binary = await push(parcel, {
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-id': 'caf%C3%A9',
    'ce-source': '/test',
    'ce-type': 'command.order.ship',
    'ce-subject': orderId,
  });
  expect(binary).toMatchObject({ status: 202, body: { events: [{ id: 'café' }] } });
  const after = await becomes(orderId, { fulfilmentStatus: 'shipped' });

  const batch = after.shipments.map(({ shipmentId }: { shipmentId: string }) =>
    event('command.order.deliver', { shipmentId }, { subject: orderId }),
  );
  expect(await push(batch)).toMatchObject({
    status: 202,
    body: { events: [{ id: batch[0].id }, { id: batch[1].id }] },
  });
  await becomes(orderId, { fulfilmentStatus: 'delivered', status: 'completed' });

  const { body } = await shop.call('GET', `/v1/orders/${orderId}/events`, { token: staff });
  const { userId } = (await shop.call('GET', '/v1/users/me', { token: staff })).body;
  expect(body.events.find(({ type }: { type: string }) => type === 'order.shipped')).toMatchObject({
    actor: userId,
    commandId,
    command: 'command.order.ship',
  });
});

test('an event pushed many times has one effect, and the first one counts', { timeout: 120_000 }, async () => {
  const orderId = await paidOrder();
  const refund = event('command.order.refund', { amountMinor: 100 }, { subject: orderId });
  const answers = await Promise.all(Array.from({ length: 10 }, () => push(refund)));
  expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
  expect(await push({ ...refund, data: { amountMinor: 900 } })).toMatchObject({ status: 202 });
  await push({ ...refund, id: randomUUID(), data: { amountMinor: 1 } });
  await becomes(orderId, { refundedMinor: 101 });
  expect((await typesOf(orderId)).sort()).toEqual(['order.created', 'order.paid', 'order.refunded', 'order.refunded']);
  expect(await push({ ...refund, type: 'command.order.ship', data: parcel })).toMatchObject({ status: 202 });
  await until('the event of another type', async () => (await typesOf(orderId)).includes('order.shipped'));
});

test('who pushes orders is their customer, and a batch with a fault stores none', { timeout: 120_000 }, async () => {
  const lines = [{ sku: 'tea', quantity: 1 }];
  const right = event('command.order.create', { lines });
  const wrong = event('command.order.create', { lines: [{ sku: 'tea', quantity: 0 }] });
  expect(await push([right, wrong])).toMatchObject({
    status: 400,
    body: { slug: 'invalid-cloud-event', errors: [{ field: '[1].data.lines[0].quantity' }] },
  });
  expect(await push([])).toMatchObject({ status: 202, body: { events: [] } });
  const { body } = await push([
    { ...right, id: 'x' },
    { ...right, source: '/other' },
  ]);
  const { userId } = (await shop.call('GET', '/v1/users/me', { token: staff })).body;
  for (const { orderId } of body.events)
    expect(await becomes(orderId, { customerId: userId, totalMinor: 890 }, staff)).toMatchObject({ version: 1 });
  const mine = (await shop.call('GET', '/v1/orders', { token: staff })).body.orders;
  expect(mine.filter(({ customerId }: { customerId: string }) => customerId === userId)).toHaveLength(2);
});

test.each<[string, number, string, () => ReturnType<typeof push>]>([
  ['without a token', 401, 'no-token', () => push({}, {}, '')],
  ['with a token that is none', 401, 'invalid-token', () => push({}, {}, 'abc')],
  ['by a customer', 403, 'insufficient-scope', () => push({}, {}, customer)],
  ['as a form', 415, 'not-json-content', () => push('a=1', { 'content-type': 'application/x-www-form-urlencoded' })],
  ['as XML', 415, 'not-json-content', () => push('<a/>', { 'content-type': 'application/cloudevents+xml' })],
  ['that is no JSON', 400, 'not-json', () => push('{')],
  [
    'in a batch that is no JSON',
    400,
    'not-json',
    () => push('[{', { 'content-type': 'application/cloudevents-batch+json' }),
  ],
  ['without attributes', 400, 'invalid-cloud-event', () => push({}, { 'content-type': 'application/json' })],
  [
    'that says what happened',
    400,
    'invalid-cloud-event',
    () => push(event('order.paid', {}, { subject: randomUUID() })),
  ],
  ['among a hundred others', 413, 'too-many-events', () => push(Array.from({ length: 101 }, () => event('x', {})))],
  ['of over a megabyte', 413, 'body-too-large', () => push(event('x', { pad: 'x'.repeat(1_100_000) }))],
])('an event %s is refused with %i %s', async (_, status, slug, pushed) => {
  expect(await pushed()).toMatchObject({
    status,
    body: { status, slug, traceId: expect.stringMatching(/^[0-9a-f]{32}$/) },
  });
});

test('who does not push to /v1/events is told how', async () => {
  const answer = await shop.call('PUT', '/v1/events', { token: staff, body: {} });
  expect({ status: answer.status, allow: answer.headers.get('allow') }).toEqual({ status: 405, allow: 'POST' });
});

const bash = async (script: string) =>
  promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: repository,
    env: { ...process.env, MILLRACE_DATA: shop.dataDir },
  });

test('the commands of the README push an event each, and again none', { timeout: 120_000 }, async () => {
  const readme = await readFile(path.join(repository, 'functions/README.md'), 'utf8');
  const [, block = ''] = /^## Push an event\n.*?```sh\n(.*?)```/ms.exec(readme) ?? [];
  const script = block
    .replaceAll('http://127.0.0.1:8080', shop.endpoints.http)
    .replaceAll('./.local/', `${shop.dataDir}/`)
    .replaceAll('npx millrace', 'scripts/millrace.mjs');
  const orders = async () =>
    [...(await bash(script)).stdout.matchAll(/"orderId": ?"([\w-]+)"/g)].map(([, id = '']) => id);
  const first = await orders();
  expect(new Set(first).size).toBe(4);
  expect(await orders()).toEqual(first);
  for (const [index, orderId] of first.entries()) await becomes(orderId, { totalMinor: 890 * (index + 1) }, staff);
});

test('millrace push sends a file with a token of its own, and says what the shop says is wrong', async () => {
  const [events, token] = [path.join(shop.dataDir, 'events.json'), path.join(shop.dataDir, 'token')];
  const command = `scripts/millrace.mjs push ${events} --url ${shop.endpoints.http} --token-file ${token}`;
  await writeFile(events, JSON.stringify([event('command.order.create', { lines: [{ sku: 'tea', quantity: 1 }] })]));
  await writeFile(token, `${staff}\n`);
  const { stdout } = await bash(command);
  await becomes(JSON.parse(stdout).events[0].orderId, { totalMinor: 890 }, staff);
  await writeFile(token, customer);
  await expect(bash(command)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('403 insufficient-scope'),
  });
  await writeFile(token, `${staff} ${staff}`);
  await expect(bash(command)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/must hold an access token and nothing else\n$/),
  });
});
