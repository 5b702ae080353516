import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nameId } from '../../functions/runtime/ids.ts';
import { keepKeySet } from '../../functions/users/kept-keys.ts';
import {
  jwksAt,
  parseSigningKeys,
  type SigningKey,
  signerAt,
} from '../../functions/users/user-service/signing-keys.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { until } from '../support/until.ts';
import { newSigningKey } from '../support/user-service-fixture.ts';

let backends: Backends;
let ingress: RunningFunction;
let keys: readonly SigningKey[];

beforeAll(async () => {
  backends = await startBackends();
  await backends.database.query(`insert into products values ('mug', 'Mug', 1250, 'EUR', 100)`);
  keys = await parseSigningKeys(newSigningKey());
  await keepKeySet(backends.database, jwksAt(keys, new Date()));
  ingress = await startFunction('event-ingress', backends);
});

afterAll(async () => {
  await ingress?.stop();
  await backends?.stop();
});

const userId = randomUUID();

/** As user-service would sign it. */
function token(claims: { role?: string; scope?: string } = {}): Promise<string> {
  const { kid, signing } = signerAt(keys, new Date());
  return new SignJWT({ role: 'staff', sid: randomUUID(), ...claims })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
    .setIssuer('millrace')
    .setAudience('millrace')
    .setSubject(userId)
    .setIssuedAt()
    .setExpirationTime('1 minute')
    .sign(signing);
}

const ship = (more: object = {}) => ({
  specversion: '1.0',
  id: randomUUID(),
  source: '/erp',
  type: 'command.order.ship',
  subject: randomUUID(),
  data: { carrier: 'Post', trackingNumber: 'NL-1' },
  ...more,
});

async function push(body: object, claims: Parameters<typeof token>[0] = { scope: 'events:push' }, traceparent = '') {
  const response = await fetch(`${ingress.url}/v1/events`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: {
      authorization: `Bearer ${await token(claims)}`,
      'content-type': `application/cloudevents${Array.isArray(body) ? '-batch' : ''}+json`,
      traceparent,
    },
  });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

/** The commands of these events that JetStream holds. */
async function storedOf(...events: { id: string; type: string }[]) {
  const ids = events.map(({ id, type }) => nameId(type, userId, '/erp', id));
  return (await backends.messages('COMMANDS')).filter(({ headers }) => ids.some((id) => headers.includes(id)));
}

const trace = (digit: string) => `00-${digit.repeat(32)}-00f067aa0ba902b7-01`;

test('a pushed event is a command in the name of who sent it, in the trace of the event', async () => {
  const event = ship({ traceparent: trace('a'), secretextension: 'x' });
  const { status, body } = await push(event, { scope: 'other events:push' }, trace('b'));
  const [stored] = await storedOf(event);
  const id = nameId('command.order.ship', userId, '/erp', event.id);
  const commandId = nameId('/millrace/event-ingress', id);
  expect({ status, body }).toEqual({
    status: 202,
    body: {
      events: [{ source: '/erp', id: event.id, type: 'command.order.ship', orderId: event.subject, commandId }],
    },
  });
  expect(stored?.subject).toBe('command.order.ship');
  expect(JSON.parse(stored?.data ?? '')).toEqual({
    ...event.data,
    orderId: event.subject,
    actor: { userId, role: 'staff' },
  });
  expect(stored?.headers).toContain(`Nats-Msg-Id: ${id}\r\n`);
  expect(stored?.headers).toContain(`ce-id: ${id}\r\n`);
  expect(stored?.headers).toContain(`ce-subject: ${event.subject}\r\n`);
  expect(stored?.headers).toContain(`traceparent: 00-${'a'.repeat(32)}-`);
  expect(stored?.headers).not.toContain('secretextension');
});

test('a trace of the event that is malformed is not taken, but that of the request', async () => {
  const event = ship({ traceparent: '00-0-0-01' });
  await push(event, undefined, trace('c'));
  expect((await storedOf(event))[0]?.headers).toContain(`traceparent: 00-${'c'.repeat(32)}-`);
});

test.each([
  ['no scope, as before there were any', {}, 'insufficient-scope', undefined],
  ['another scope', { scope: 'events:pushes' }, 'insufficient-scope', undefined],
  ['the scope, and the role of a customer', { scope: 'events:push', role: 'customer' }, 'wrong-role', '[1].type'],
])('a token with %s is 403 and stores nothing', async (_, claims, slug, field) => {
  const cancel = ship({ type: 'command.order.cancel', data: {} });
  const events = [cancel, ship()];
  expect(await push(events, claims)).toMatchObject({
    status: 403,
    body: { slug, ...(field ? { errors: [{ field }] } : {}) },
  });
  expect(await storedOf(...events)).toEqual([]);
});

test('a batch of which one event is not valid stores nothing', async () => {
  const events = [ship(), ship({ data: {} }), ship()];
  expect(await push(events)).toMatchObject({ status: 400, body: { errors: [{ field: '[1].data.carrier' }, {}] } });
  expect(await storedOf(...events)).toEqual([]);
});

test('while JetStream does not answer pushing is 503 with a time to try again, and then each event is stored once', async () => {
  const events = Array.from({ length: 100 }, () => ship());
  await backends.signalNats('SIGSTOP');
  const failed = await push(events).finally(() => backends.signalNats('SIGCONT'));
  expect(failed).toMatchObject({ status: 503, body: { slug: 'nats-unavailable' } });
  expect(failed.body.detail).toContain('push the same again');
  expect(Number(failed.headers.get('retry-after'))).toBeGreaterThan(0);
  await until('the batch to be taken', async () => (await push(events)).status === 202);
  expect(await storedOf(...events)).toHaveLength(100);
});

test('an event pushed again when JetStream has forgotten it is known to the store: the first one counts', async () => {
  type Stream = { config: object; state: { messages: number; last_seq: number } };
  const info = () => backends.bus.api<Stream>('STREAM.INFO.COMMANDS');
  const { config } = await info();
  await backends.bus.api('STREAM.UPDATE.COMMANDS', { ...config, duplicate_window: 100e6 });
  const createOrder = await startFunction('create-order', backends);
  try {
    const create = (quantity: number) =>
      ship({ id: 'again', type: 'command.order.create', data: { lines: [{ sku: 'mug', quantity }] } });
    const first = await push(create(1));
    const { last_seq: before } = (await info()).state;
    for (const event of [create(1), create(2)])
      await until('JetStream to take it as new', async () => {
        const { last_seq: sequence } = (await info()).state;
        expect((await push(event)).body).toEqual(first.body);
        return (await info()).state.last_seq > sequence;
      });
    expect((await info()).state.last_seq).toBeGreaterThanOrEqual(before + 2);
    await until('all to be handled', async () => (await backends.undone('COMMANDS', 'create-order')) === 0);
    const { rows } = await backends.database.query(
      `select version, data->'lines'->0->'quantity' as quantity from order_events where order_id = $1`,
      [first.body.events[0].orderId],
    );
    expect(rows).toEqual([{ version: 1, quantity: 1 }]);
  } finally {
    await createOrder.stop();
  }
});
