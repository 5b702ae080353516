import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { until } from '../support/until.ts';

let backends: Backends;
let createOrder: RunningFunction;
let orderView: RunningFunction;

const customerId = randomUUID();

beforeAll(async () => {
  backends = await startBackends();
  await backends.database.query(`insert into products (sku, name, price_minor, currency, stock) values
    ('mug', 'Mug', 1250, 'EUR', 100), ('tea', 'Tea', 480, 'EUR', 1000), ('rare', 'Rare', 100, 'EUR', 10), ('dollar', 'Dollar', 100, 'USD', 10)`);
  createOrder = await startFunction('create-order', backends);
  orderView = await startFunction('order-view', backends);
});

afterAll(async () => {
  await createOrder?.stop();
  await orderView?.stop();
  await backends?.stop();
});

const publish = (data: unknown, headers: Record<string, string> = {}): Promise<number> =>
  backends.bus.publish(
    'command.order.create',
    typeof data === 'string' ? data : JSON.stringify(data),
    headers,
    randomUUID(),
  );

const orderIn = (id: string) =>
  until(`order ${id} in the view`, async () => {
    const { rows } = await backends.database.query('select "order" from order_view where order_id = $1', [id]);
    return rows[0]?.order;
  });

const command = (orderId: string, lines: object[] = [{ sku: 'mug', quantity: 2 }]) => ({ orderId, customerId, lines });

test('a bare message on the command subject creates an order with the prices of the shop', async () => {
  const orderId = randomUUID();
  await publish(command(orderId));
  expect(await orderIn(orderId)).toMatchObject({
    orderId,
    version: 1,
    customerId,
    status: 'open',
    currency: 'EUR',
    totalMinor: 2500,
    lines: [{ sku: 'mug', name: 'Mug', quantity: 2, unitPriceMinor: 1250, totalMinor: 2500 }],
  });
});

test('an order is one event in the store and one in the stream, with CloudEvents headers', async () => {
  const orderId = randomUUID();
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  await publish(command(orderId), { traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
  await orderIn(orderId);
  const [message, ...more] = (await backends.messages('ORDERS')).filter(
    ({ subject }) => subject === `order.${orderId}.created`,
  );
  expect(more).toEqual([]);
  const headers = message?.headers ?? '';
  expect(headers).toContain('ce-specversion: 1.0');
  expect(headers).toContain('ce-type: order.created');
  expect(headers).toContain(`ce-subject: ${orderId}`);
  expect(headers).toContain(`traceparent: 00-${traceId}-`);
  const { rows } = await backends.database.query('select * from order_events where order_id = $1', [orderId]);
  expect(rows).toMatchObject([{ version: 1, type: 'order.created', actor: customerId, trace_id: traceId }]);
  expect(headers).toContain(`ce-id: ${rows[0].event_id}`);
  expect(headers).toContain(`Nats-Msg-Id: ${rows[0].event_id}`);
});

test('the same command fifty times creates one order and takes its stock once', async () => {
  const orderId = randomUUID();
  const before = await stockOf('tea');
  const headers = { 'ce-id': randomUUID(), 'ce-source': '/test' };
  await Promise.all(
    Array.from({ length: 50 }, () => publish(command(orderId, [{ sku: 'tea', quantity: 3 }]), headers)),
  );
  await orderIn(orderId);
  await drained();
  const { rows } = await backends.database.query('select version from order_events where order_id = $1', [orderId]);
  expect(rows).toEqual([{ version: 1 }]);
  expect(await stockOf('tea')).toBe(before - 3);
});

test('stock is never oversold, whoever comes at once', async () => {
  const ids = Array.from({ length: 30 }, () => randomUUID());
  await Promise.all(ids.map((id) => publish(command(id, [{ sku: 'rare', quantity: 1 }]))));
  await drained();
  const { rows } = await backends.database.query(
    'select count(*)::int as orders from order_events where order_id = any($1)',
    [ids],
  );
  expect(rows[0].orders).toBe(10);
  expect(await stockOf('rare')).toBe(0);
  const refusals = await backends.database.query(
    `select refusal->>'slug' as slug from commands where aggregate_id = any($1) and refusal is not null`,
    [ids],
  );
  expect(refusals.rows).toEqual(Array.from({ length: 20 }, () => ({ slug: 'out-of-stock' })));
});

test('a command that is not valid becomes a dead letter that says why', async () => {
  const cases: [payload: unknown, error: string, says: string][] = [
    ['{"orderId":', 'not-json', 'not JSON'],
    [{ customerId, lines: [] }, 'invalid-command', 'lines'],
    [{ customerId, lines: [{ sku: 'mug', quantity: 0 }] }, 'invalid-command', 'lines[0].quantity'],
    [{ lines: [{ sku: 'mug', quantity: 1 }] }, 'invalid-command', 'customerId: is missing'],
    [{ customerId, lines: [{ sku: 'mug', quantity: 1 }], price: 1 }, 'invalid-command', 'price: is not a known field'],
  ];
  for (const [payload, error, says] of cases) {
    const seen = (await backends.messages('DEAD_LETTERS')).length;
    await publish(payload);
    const letter = await until('the dead letter', async () => (await backends.messages('DEAD_LETTERS'))[seen]);
    expect(letter.subject).toBe('dead.create-order');
    expect(letter.headers).toContain(`millrace-error: ${error}`);
    expect(letter.headers).toContain(says);
    expect(letter.data).toBe(typeof payload === 'string' ? payload : JSON.stringify(payload));
  }
  await drained();
});

const cloudEvent = (data: unknown) => ({
  specversion: '1.0',
  id: randomUUID(),
  source: '/test',
  type: 'command.order.create',
  data,
});

const post = (body: string, headers: Record<string, string>) =>
  fetch(createOrder.url, { method: 'POST', body, headers });

test('a structured CloudEvent posted to the function creates an order', async () => {
  const orderId = randomUUID();
  const body = JSON.stringify(cloudEvent(command(orderId)));
  const response = await post(body, { 'content-type': 'application/cloudevents+json' });
  expect(response.status).toBe(204);
  expect(await orderIn(orderId)).toMatchObject({ orderId });
});

test('a binary CloudEvent posted to the function creates an order, and the same event again no other', async () => {
  const orderId = randomUUID();
  const headers = {
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-id': orderId,
    'ce-source': '/test',
    'ce-type': 'command.order.create',
  };
  for (const _ of [1, 2]) expect((await post(JSON.stringify(command(orderId)), headers)).status).toBe(204);
  expect(await orderIn(orderId)).toMatchObject({ orderId, version: 1 });
});

test('a CloudEvent that is not valid is refused with problem+json that names the fault', async () => {
  const structured = { 'content-type': 'application/cloudevents+json' };
  const cases: [
    body: string,
    headers: Record<string, string>,
    status: number,
    slug: string,
    field: string | undefined,
  ][] = [
    ['{', structured, 400, 'not-json', undefined],
    [JSON.stringify({ a: 1 }), structured, 400, 'invalid-cloud-event', 'id'],
    [JSON.stringify({ a: 1 }), { 'content-type': 'application/json' }, 400, 'invalid-cloud-event', 'id'],
    [JSON.stringify({ ...cloudEvent({}), type: 'order.created' }), structured, 400, 'wrong-type', undefined],
    [JSON.stringify(cloudEvent({ customerId })), structured, 400, 'invalid-command', 'lines'],
    [
      JSON.stringify(cloudEvent(command(randomUUID(), [{ sku: 'none', quantity: 1 }]))),
      structured,
      409,
      'unknown-product',
      'lines[0].sku',
    ],
    [
      JSON.stringify(cloudEvent({ ...command(randomUUID()), pad: 'x'.repeat(1_100_000) })),
      structured,
      413,
      'body-too-large',
      undefined,
    ],
  ];
  for (const [body, headers, status, slug, field] of cases) {
    const response = await post(body, headers);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const answer = (await response.json()) as {
      slug: string;
      status: number;
      errors?: { field: string }[];
      traceId: string;
    };
    expect({ status: response.status, slug: answer.slug }).toEqual({ status, slug });
    if (field) expect(answer.errors?.map((error) => error.field)).toContain(field);
    expect(answer.traceId).toMatch(/^[0-9a-f]{32}$/);
  }
});

async function stockOf(sku: string): Promise<number> {
  const { rows } = await backends.database.query('select stock from products where sku = $1', [sku]);
  return rows[0].stock;
}

const drained = () =>
  until('all commands to be handled', async () => (await backends.undone('COMMANDS', 'create-order')) === 0);

test('a huge body in chunks is refused, and the function lives on', async () => {
  const chunk = new Uint8Array(64 * 1024).fill(32);
  const body = new ReadableStream({
    pull(controller) {
      sent += 1;
      if (sent > 64) controller.close();
      else controller.enqueue(chunk);
    },
  });
  let sent = 0;
  const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/cloudevents+json' } };
  const answer = await fetch(createOrder.url, init as RequestInit).then(
    ({ status }) => status,
    () => 'hung up',
  );
  expect([413, 'hung up']).toContain(answer);
  expect((await fetch(`${createOrder.url}/livez`)).status).toBe(200);
});

test('a compressed body is refused: its size says nothing of what is in it', async () => {
  const response = await post('x', { 'content-type': 'application/cloudevents+json', 'content-encoding': 'gzip' });
  expect({ status: response.status, ...((await response.json()) as object) }).toMatchObject({
    status: 415,
    slug: 'unsupported-encoding',
  });
});

test.each(['a b', 'order.x.created', 'command.order.create', '_INBOX', '_INBOX.*', '_INBOX.a\tb'])(
  'a reply header %j that names no inbox makes a dead letter, and the next command is handled',
  async (reply) => {
    const seen = (await backends.messages('DEAD_LETTERS')).length;
    const [bad, good] = [randomUUID(), randomUUID()];
    await publish(command(bad), { 'millrace-reply': reply });
    await publish(command(good));
    expect(await orderIn(good)).toMatchObject({ orderId: good });
    const letter = await until('the dead letter', async () => (await backends.messages('DEAD_LETTERS'))[seen]);
    expect(letter.headers).toContain('millrace-error: invalid-reply');
    await drained();
  },
);

test('an id that was used for another command is a dead letter when nobody waits for the answer', async () => {
  const seen = (await backends.messages('DEAD_LETTERS')).length;
  const headers = { 'ce-id': randomUUID(), 'ce-source': '/test' };
  await publish(command(randomUUID()), headers);
  await publish(command(randomUUID()), headers);
  const letter = await until('the dead letter', async () => (await backends.messages('DEAD_LETTERS'))[seen]);
  expect(letter.headers).toContain('millrace-error: idempotency-key-reused');
});

test('a refused command that nobody waits for is in the log', async () => {
  const id = randomUUID();
  await publish(command(randomUUID(), [{ sku: 'unicorn', quantity: 1 }]), { 'ce-id': id });
  await until('the line', () =>
    createOrder.lines.some((line) => line.includes(id) && line.includes('unknown-product')),
  );
});
