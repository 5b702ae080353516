import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readOrderHistory } from '../../functions/orders/client.ts';
import { EXPIRE_ORDER } from '../../functions/orders/commands.ts';
import type { PublicOrder } from '../../functions/orders/events.ts';
import { openCommandSender, type SendCommand } from '../../functions/runtime/command-sender.ts';
import { nameId, newId } from '../../functions/runtime/ids.ts';
import { timersOf } from '../../functions/runtime/jetstream/schedules.ts';
import type { Outcome } from '../../functions/runtime/messages/message.ts';
import { continueTrace } from '../../functions/runtime/trace.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { testShell } from '../support/shell.ts';
import { until } from '../support/until.ts';

let backends: Backends;
const running: RunningFunction[] = [];
let sendCommand: SendCommand;
const customer = { userId: randomUUID(), role: 'customer' };
const staff = { userId: randomUUID(), role: 'staff' };

const COMMANDS = [
  'create-order',
  'pay-order',
  'ship-order',
  'deliver-order',
  'cancel-order',
  'expire-order',
  'refund-order',
];

beforeAll(async () => {
  backends = await startBackends();
  await backends.database.query(
    `insert into products values ('mug', 'Mug', 1250, 'EUR', 10000), ('tea', 'Tea', 500, 'EUR', 10000), ('gift', 'Gift', 0, 'EUR', 10000)`,
  );
  for (const name of [...COMMANDS, 'expire-unpaid', 'refund-cancelled'])
    running.push(await startFunction(name, backends, { env: { PAYMENT_WINDOW_SECONDS: '2' } }));
  sendCommand = openCommandSender(testShell({}, {}).shell, backends.bus);
});

afterAll(async () => {
  await Promise.all(running.map((one) => one.stop()));
  await backends?.stop();
});

const send = async (verb: string, data: object & { orderId: string }, id: string = newId()): Promise<Outcome> => {
  const type = `command.order.${verb}`;
  const outcome = await sendCommand({ id, type, subject: data.orderId, data, trace: continueTrace(undefined) }, 20_000);
  if (!outcome) throw new Error(`no answer to ${type}`);
  return outcome;
};

const order = async (verb: string, data: object & { orderId: string }, id?: string): Promise<PublicOrder> => {
  const { result, error } = await send(verb, data, id);
  if (error) throw new Error(`${verb}: ${error.slug}: ${error.message}`);
  return result as PublicOrder;
};

const slug = async (verb: string, data: object & { orderId: string }): Promise<string | undefined> =>
  (await send(verb, data)).error?.slug;

const create = (
  lines: object[] = [
    { sku: 'mug', quantity: 2 },
    { sku: 'tea', quantity: 1 },
  ],
): Promise<PublicOrder> =>
  order('create', { orderId: newId(), customerId: customer.userId, lines } as object & { orderId: string });

const pay = (orderId: string, token = 'tok_ok') =>
  order('pay', { orderId, actor: customer, token } as object & { orderId: string });
const by = (actor: object, orderId: string, more: object = {}) => ({ orderId, actor, ...more });

const stateOf = async (orderId: string): Promise<PublicOrder> => {
  const last = (await backends.messages('ORDERS'))
    .filter(({ subject }) => subject.startsWith(`order.${orderId}.`))
    .at(-1);
  return (JSON.parse(last?.data ?? '{}') as { order: PublicOrder }).order;
};
const ledger = async (orderId: string): Promise<number[]> =>
  (
    await backends.database.query(
      'select amount_minor::int as amount from provider_ledger where order_id = $1 order by moved_at',
      [orderId],
    )
  ).rows.map(({ amount }) => amount);
const stock = async (): Promise<number> =>
  (await backends.database.query(`select stock from products where sku = 'mug'`)).rows[0].stock;

test('an order is paid, shipped in two parcels, delivered, and then completed', async () => {
  const { orderId } = await create();
  expect(await pay(orderId)).toMatchObject({ version: 2, paymentStatus: 'paid', paidMinor: 3000 });
  const parcel = { carrier: 'Post', trackingNumber: 'T1' };
  const first = await order('ship', by(staff, orderId, { ...parcel, lines: [{ sku: 'mug', quantity: 1 }] }));
  expect(first).toMatchObject({ fulfilmentStatus: 'partially_shipped', status: 'open' });
  expect(await slug('ship', by(staff, orderId, { ...parcel, lines: [{ sku: 'mug', quantity: 2 }] }))).toBe(
    'not-so-many-left',
  );
  const second = await order('ship', by(staff, orderId, parcel));
  expect(second).toMatchObject({ fulfilmentStatus: 'shipped' });
  expect(second.shipments[1]?.lines).toEqual([
    { sku: 'mug', quantity: 1 },
    { sku: 'tea', quantity: 1 },
  ]);
  expect(await slug('cancel', by(customer, orderId))).toBe('order-already-shipped');
  const [a, b] = second.shipments.map(({ shipmentId }) => shipmentId);
  expect(await order('deliver', by(staff, orderId, { shipmentId: a }))).toMatchObject({
    status: 'open',
    fulfilmentStatus: 'shipped',
  });
  expect(await slug('deliver', by(staff, orderId, { shipmentId: a }))).toBe('shipment-already-delivered');
  expect(await order('deliver', by(staff, orderId, { shipmentId: b }))).toMatchObject({
    status: 'completed',
    fulfilmentStatus: 'delivered',
  });
});

test('a declined payment can be tried again, three times in all', async () => {
  const { orderId } = await create();
  expect(await pay(orderId, 'tok_declined')).toMatchObject({ paymentStatus: 'failed', paidMinor: 0 });
  expect(await pay(orderId)).toMatchObject({ paymentStatus: 'paid' });
  const other = await create();
  for (const _ of [1, 2, 3]) await pay(other.orderId, 'tok_declined');
  expect(await slug('pay', by(customer, other.orderId, { token: 'tok_ok' }))).toBe('too-many-payments');
  expect(await ledger(other.orderId)).toEqual([]);
});

test('twenty payments at once take the money once', async () => {
  const { orderId } = await create();
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, () => send('pay', by(customer, orderId, { token: 'tok_ok' }))),
  );
  const slugs = outcomes.map(({ error }) => error?.slug);
  expect(slugs.filter((one) => one === undefined)).toHaveLength(1);
  expect(
    slugs.filter((one) => one !== undefined && one !== 'order-already-paid' && one !== 'payment-in-flight'),
  ).toEqual([]);
  expect(await ledger(orderId)).toEqual([3000]);
});

test('a payment that the provider answers too late is taken once, and told when it answers', async () => {
  const { orderId } = await order('create', {
    orderId: newId(),
    customerId: customer.userId,
    lines: [{ sku: 'mug', quantity: 1 }],
  } as object & { orderId: string });
  const before = Date.now();
  await pay(orderId, 'tok_late');
  expect(Date.now() - before).toBeGreaterThan(3_900);
  expect(await ledger(orderId)).toEqual([1250]);
  await until('the refund of what came too late', async () => (await stateOf(orderId)).paymentStatus === 'refunded');
});

test('a payment that the provider does not answer is asked for again, and has failed when nothing was taken', async () => {
  const { orderId } = await create([
    { sku: 'gift', quantity: 1 },
    { sku: 'tea', quantity: 1 },
  ]);
  expect(await pay(orderId, 'tok_timeout')).toMatchObject({ status: 'expired', paymentStatus: 'failed', paidMinor: 0 });
  expect(await ledger(orderId)).toEqual([0]);
  const { rows } = await backends.database.query('select status from payments where order_id = $1', [orderId]);
  expect(rows).toEqual([{ status: 'settled' }]);
});

test('an unpaid order expires when its payment is due, and its stock is for sale again, once', async () => {
  const before = await stock();
  const { orderId } = await create();
  expect(await stock()).toBe(before - 2);
  await until('the order to expire', async () => (await stateOf(orderId)).status === 'expired');
  expect(await stock()).toBe(before);
  expect(await slug('cancel', by(customer, orderId))).toBe('order-expired');
  expect(await stock()).toBe(before);
});

test('a paid order does not expire', async () => {
  const { orderId } = await create();
  await pay(orderId);
  expect(await slug('expire', { orderId })).toBe('order-already-paid');
  await until('its timer to be gone', async () =>
    (await backends.messages('COMMANDS')).every(({ subject }) => subject !== `${timersOf(EXPIRE_ORDER)}.${orderId}`),
  );
});

test('an order that costs nothing needs no payment, never expires and can be shipped', async () => {
  const { orderId, paymentStatus, paymentDueAt } = await create([{ sku: 'gift', quantity: 1 }]);
  expect({ paymentStatus, paymentDueAt }).toEqual({ paymentStatus: 'paid', paymentDueAt: null });
  expect(await slug('pay', by(customer, orderId, { token: 'tok_ok' }))).toBe('order-already-paid');
  expect(await slug('expire', { orderId })).toBe('order-already-paid');
  expect(await order('ship', by(staff, orderId, { carrier: 'Post', trackingNumber: 'T' }))).toMatchObject({
    fulfilmentStatus: 'shipped',
  });
});

test('a paid order that is cancelled is refunded', async () => {
  const { orderId } = await create();
  await pay(orderId);
  expect(await order('cancel', by(customer, orderId))).toMatchObject({ status: 'cancelled', paymentStatus: 'paid' });
  await until('the refund', async () => (await stateOf(orderId)).paymentStatus === 'refunded');
  expect(await ledger(orderId)).toEqual([3000, -3000]);
});

test('each event names its command, and a refund the cancel that it follows from', async () => {
  const { orderId } = await create();
  await pay(orderId);
  await order('cancel', by(customer, orderId));
  await until('the refund', async () => (await stateOf(orderId)).paymentStatus === 'refunded');
  const history = await readOrderHistory(backends.database, orderId);
  expect(history.map(({ event, command }) => [event.type, command])).toEqual([
    ['order.created', 'command.order.create'],
    ['order.paid', 'command.order.pay'],
    ['order.cancelled', 'command.order.cancel'],
    ['order.refunded', 'command.order.refund'],
  ]);
  const [created, paid, cancelled, refunded] = history;
  for (const one of [created, paid, cancelled]) expect(one?.correlationId).toBe(one?.commandId);
  expect(refunded?.correlationId).toBe(cancelled?.commandId);
  expect(refunded?.commandId).not.toBe(cancelled?.commandId);
});

test('a payment that lands after the order has expired is taken and given back', async () => {
  const { orderId } = await create();
  const paid = await pay(orderId, 'tok_slow');
  expect(paid).toMatchObject({ status: 'expired', paidMinor: 3000 });
  await until('the refund', async () => (await stateOf(orderId)).paymentStatus === 'refunded');
  expect(await ledger(orderId)).toEqual([3000, -3000]);
});

test('a payment that was begun at the version that it expected is told, whatever has become of the order', async () => {
  const { orderId } = await create();
  const paid = await order('pay', by(customer, orderId, { token: 'tok_slow', expectedVersion: 1 }));
  expect(paid).toMatchObject({ status: 'expired', paidMinor: 3000 });
  await until('the refund', async () => (await stateOf(orderId)).paymentStatus === 'refunded');
  expect(await ledger(orderId)).toEqual([3000, -3000]);
});

test('a cancel during a charge that expects a version: the money is told, and goes back', async () => {
  const { orderId } = await create();
  const paying = order('pay', by(customer, orderId, { token: 'tok_slow', expectedVersion: 1 }));
  await until('the charge', async () => (await ledger(orderId)).length === 1);
  await order('cancel', by(customer, orderId));
  expect(await paying).toMatchObject({ status: 'cancelled', paidMinor: 3000 });
  await until('the refund', async () => (await stateOf(orderId)).paymentStatus === 'refunded');
  expect(await ledger(orderId)).toEqual([3000, -3000]);
});

test.each([
  ['another token', { token: 'tok_declined' }],
  ['another version', { token: 'tok_slow', expectedVersion: 7 }],
])('the same id with %s while the charge is in flight takes nothing more, and ends nothing', async (_, other) => {
  const { orderId } = await create();
  const id = newId();
  const paying = order('pay', by(customer, orderId, { token: 'tok_slow' }), id);
  await until('the charge', async () => (await ledger(orderId)).length === 1);
  expect((await send('pay', by(customer, orderId, other), id)).error?.slug).toBe('idempotency-key-reused');
  expect(await slug('pay', by(customer, orderId, { token: 'tok_ok' }))).toMatch(/payment-in-flight|order-expired/);
  expect(await paying).toMatchObject({ paidMinor: 3000 });
  await until('the end of it', async () => (await ledger(orderId)).reduce((sum, amount) => sum + amount, 0) === 0);
  expect(await ledger(orderId)).toEqual([3000, -3000]);
});

test('the same payment eight times at once is one charge and one answer', async () => {
  const { orderId } = await create();
  const id = newId();
  const paid = await Promise.all(
    Array.from({ length: 8 }, () => order('pay', by(customer, orderId, { token: 'tok_ok' }), id)),
  );
  expect(new Set(paid.map((one) => JSON.stringify(one))).size).toBe(1);
  expect(await ledger(orderId)).toEqual([3000]);
});

test('refunds in parts add up to the payment and not beyond, however many come at once', async () => {
  const { orderId } = await create();
  await pay(orderId);
  expect(await order('refund', by(staff, orderId, { amountMinor: 1000 }))).toMatchObject({
    paymentStatus: 'partially_refunded',
    refundedMinor: 1000,
  });
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, () => send('refund', by(staff, orderId, { amountMinor: 1000 }))),
  );
  expect(outcomes.filter(({ error }) => !error)).toHaveLength(2);
  expect(await slug('refund', by(staff, orderId))).toBe('order-already-refunded');
  expect(await ledger(orderId)).toEqual([3000, -1000, -1000, -1000]);
});

test('an order that is given back before anything is shipped is cancelled, and its stock is for sale again, once', async () => {
  const { orderId } = await create();
  await pay(orderId);
  const before = await stock();
  await order('refund', by(staff, orderId, { amountMinor: 1000 }));
  expect(await stock()).toBe(before);
  expect(await order('refund', by(staff, orderId))).toMatchObject({ status: 'cancelled', paymentStatus: 'refunded' });
  expect(await stock()).toBe(before + 2);
  expect(await slug('cancel', by(customer, orderId))).toBe('order-cancelled');
  expect(await stock()).toBe(before + 2);
});

test('an order that is given back after a part of it was shipped ships no more, and ends when that part arrives', async () => {
  const { orderId } = await create();
  await pay(orderId);
  const before = await stock();
  const parcel = { carrier: 'Post', trackingNumber: 'T1' };
  const shipped = await order('ship', by(staff, orderId, { ...parcel, lines: [{ sku: 'mug', quantity: 1 }] }));
  expect(await order('refund', by(staff, orderId))).toMatchObject({ status: 'open', paymentStatus: 'refunded' });
  expect(await stock()).toBe(before + 1);
  expect(await slug('ship', by(staff, orderId, parcel))).toBe('order-not-paid');
  const shipmentId = shipped.shipments[0]?.shipmentId;
  expect(await order('deliver', by(staff, orderId, { shipmentId }))).toMatchObject({
    status: 'completed',
    fulfilmentStatus: 'partially_shipped',
  });
  expect(await stock()).toBe(before + 1);
});

test('a timer that fires early waits for the rest of the time, however early it is', async () => {
  const { orderId } = await create();
  // The order's own timer may be quicker than the one that waits again.
  expect([undefined, 'order-expired']).toContain(await slug('expire', { orderId }));
  const { createdAt, paymentDueAt } = await stateOf(orderId);
  expect(Date.parse(paymentDueAt ?? '') - Date.parse(createdAt)).toBe(2_000);
  const [expired] = (await readOrderHistory(backends.database, orderId)).slice(-1);
  expect(expired?.event.type).toBe('order.expired');
  expect(Date.parse(expired?.at ?? '')).toBeGreaterThanOrEqual(Date.parse(paymentDueAt ?? ''));
});

test('a command that is repeated when its order has a snapshot of later is answered as it was then', async () => {
  const [id, orderId] = [newId(), newId()];
  const wanted = { orderId, customerId: customer.userId, lines: [{ sku: 'tea', quantity: 1 }] };
  const created = await order('create', wanted, id);
  await pay(orderId);
  await backends.database.query(
    `insert into order_events (order_id, version, event_id, type, data, command_id, actor, trace_id, occurred_at)
     select order_id, number, order_id || '-' || number, 'order.refunded', $2, order_id, actor, trace_id, occurred_at
     from order_events cross join generate_series(3, 101) number where order_id = $1 and version = 2`,
    [orderId, JSON.stringify({ refundId: newId(), amountMinor: 1, reason: 'test', refundedAt: created.createdAt })],
  );
  const refunded = await order('refund', by(staff, orderId, { amountMinor: 1 }));
  expect(refunded).toMatchObject({ version: 102, refundedMinor: 100 });
  const { rows } = await backends.database.query('select version from order_snapshots where order_id = $1', [orderId]);
  expect(rows).toEqual([{ version: 102 }]);
  expect(await order('create', wanted, id)).toEqual(created);
  expect(await order('refund', by(staff, orderId, { amountMinor: 2 }))).toMatchObject({ refundedMinor: 102 });
});

test("somebody else's order is not there", async () => {
  const { orderId } = await create();
  const stranger = { userId: randomUUID(), role: 'customer' };
  for (const [verb, more] of [
    ['pay', { token: 'tok_ok' }],
    ['cancel', {}],
  ] as const) {
    const { error } = await send(verb, by(stranger, orderId, { ...more, expectedVersion: 9 }));
    expect(error).toMatchObject({ code: 'not-found', slug: 'order-not-found' });
  }
  expect(await backends.messages('DEAD_LETTERS')).toEqual([]);
});

test('a command for a version that is past is refused, and changes nothing', async () => {
  const { orderId } = await create();
  await pay(orderId, 'tok_declined');
  expect(await slug('pay', by(customer, orderId, { token: 'tok_ok', expectedVersion: 1 }))).toBe('version-mismatch');
  expect(await order('pay', by(customer, orderId, { token: 'tok_ok', expectedVersion: 2 }))).toMatchObject({
    version: 3,
  });
});

test('fifty writers on one order: one wins each version, and the history has no gap', async () => {
  const { orderId } = await create([{ sku: 'mug', quantity: 100 }]);
  await pay(orderId);
  const parcel = { carrier: 'Post', trackingNumber: 'T', lines: [{ sku: 'mug', quantity: 3 }] };
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => send('ship', by(staff, orderId, parcel))));
  expect(outcomes.filter(({ error }) => !error)).toHaveLength(20);
  const { rows } = await backends.database.query(
    'select version from order_events where order_id = $1 order by version',
    [orderId],
  );
  expect(rows.map(({ version }) => version)).toEqual(Array.from({ length: 22 }, (_, index) => index + 1));
});

test('fifty writers that all have seen the same version: one wins, the others are told', async () => {
  const { orderId } = await create([{ sku: 'mug', quantity: 100 }]);
  await pay(orderId);
  const parcel = { carrier: 'Post', trackingNumber: 'T', lines: [{ sku: 'mug', quantity: 1 }], expectedVersion: 2 };
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => send('ship', by(staff, orderId, parcel))));
  const slugs = outcomes.map(({ error }) => error?.slug);
  expect(slugs.filter((one) => one === undefined)).toHaveLength(1);
  expect(slugs.filter((one) => one === 'version-mismatch')).toHaveLength(49);
});

test('the same command again, by its id, is answered as before and done once', async () => {
  const { orderId } = await create();
  const id = newId();
  const first = await order('pay', by(customer, orderId, { token: 'tok_ok' }), id);
  expect(await order('pay', by(customer, orderId, { token: 'tok_ok' }), id)).toEqual(first);
  expect(await ledger(orderId)).toEqual([3000]);
});

test('a CloudEvent posted to ship-order ships, structured and binary, and again it changes nothing', async () => {
  const { url } = running[COMMANDS.indexOf('ship-order')] ?? {};
  const { orderId } = await create();
  await pay(orderId);
  const post = async (body: object, headers: Record<string, string>) =>
    (await fetch(`${url}`, { method: 'POST', body: JSON.stringify(body), headers })).status;
  const part = (sku: string) => ({
    ...by(staff, orderId),
    carrier: 'Post',
    trackingNumber: 'T',
    lines: [{ sku, quantity: 1 }],
  });
  const attributes = { specversion: '1.0', source: '/broker', type: 'command.order.ship' };
  const structured = { ...attributes, id: 'a', datacontenttype: 'application/json', subject: null, data: part('tea') };
  const binary = Object.entries({ ...attributes, id: 'b%20b' }).map(([name, value]) => [`ce-${name}`, value] as const);
  for (const _ of [1, 2]) {
    expect(await post(structured, { 'content-type': 'application/cloudevents+json' })).toBe(204);
    expect(await post(part('mug'), { ...Object.fromEntries(binary), 'content-type': 'application/json' })).toBe(204);
  }
  const { shipments } = await stateOf(orderId);
  expect(shipments.map(({ shipmentId }) => shipmentId)).toEqual([nameId('/broker', 'a'), nameId('/broker', 'b b')]);
  expect(await post([structured], { 'content-type': 'application/cloudevents-batch+json' })).toBe(415);
});
