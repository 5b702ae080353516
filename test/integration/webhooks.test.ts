import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { attemptTask, listDeliveries, redeliver, WEBHOOKS } from '../../functions/notifications/webhook-deliveries.ts';
import {
  changeEndpoint,
  createEndpoint,
  findEndpoint,
  rotateSecret,
} from '../../functions/notifications/webhook-endpoints.ts';
import { REPLAY_HEADER } from '../../functions/runtime/messages/message.ts';
import { sendTask } from '../../functions/runtime/task.ts';
import { continueTrace } from '../../functions/runtime/trace.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { exampleOrder, publishCreated } from '../support/orders.ts';
import { type Receiver, startReceiver, verified } from '../support/receiver.ts';
import { until } from '../support/until.ts';

let backends: Backends;
let webhooks: RunningFunction;
const receivers: Receiver[] = [];
const LOCAL = { loopback: true };

const start = () =>
  startFunction('webhooks', backends, { env: { WEBHOOK_ALLOW_LOOPBACK: 'true', WEBHOOK_RETRY_SECONDS: '1,1' } });

beforeAll(async () => {
  backends = await startBackends();
  webhooks = await start();
});

afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close();
  await backends.database.query('delete from webhook_endpoints');
});

afterAll(async () => {
  await webhooks?.stop();
  await backends?.stop();
});

async function partner(eventTypes: ('*' | 'order.created' | 'order.paid')[] = ['*']) {
  const receiver = await startReceiver();
  receivers.push(receiver);
  const endpointId = randomUUID();
  const { secret } = await createEndpoint(backends.database, endpointId, { url: receiver.url, eventTypes }, LOCAL);
  const deliveries = () => listDeliveries(backends.database, endpointId, { limit: 100 });
  return { receiver, endpointId, secret: secret ?? '', deliveries };
}

const quiet = () =>
  until('nothing to be left', async () => (await backends.undone('ORDERS', 'webhooks')) === 0, 30_000);

async function created(eventId: string = randomUUID()): Promise<string> {
  const order = exampleOrder();
  await publishCreated(backends.bus, order, eventId);
  return order.orderId;
}

test('an event reaches whoever wants its type, signed, once though it comes twice; a replayed one reaches nobody', async () => {
  const [all, some, none] = [await partner(), await partner(['order.created']), await partner(['order.paid'])];
  const order = exampleOrder();
  const eventId = randomUUID();
  await publishCreated(backends.bus, order, eventId);
  await publishCreated(backends.bus, order, eventId);
  const replayed = { 'ce-id': randomUUID(), [REPLAY_HEADER]: 'true' };
  const payload = JSON.stringify({ order });
  await backends.bus.publish(`order.${order.orderId}.created`, payload, replayed, randomUUID());
  await until('it to be delivered', () => all.receiver.received.length > 0 && some.receiver.received.length > 0);
  await quiet();
  for (const { receiver, secret, deliveries } of [all, some]) {
    const [got, ...more] = receiver.received;
    if (!got) throw new Error('nothing was received');
    expect(more).toEqual([]);
    expect(got.headers['content-type']).toBe('application/cloudevents+json');
    expect(verified(secret, got)).toMatchObject({
      specversion: '1.0',
      id: eventId,
      source: '/test',
      type: 'order.created',
      subject: order.orderId,
      data: { order },
    });
    expect(await deliveries()).toMatchObject([
      { deliveryId: got.headers['webhook-id'], eventId, status: 'delivered', attempts: 1, lastStatus: 204 },
    ]);
  }
  expect(none.receiver.received).toEqual([]);
});

test('what is never taken is tried by the schedule, each time under the same id, and then given up without a dead letter', async () => {
  const { receiver, deliveries } = await partner();
  receiver.answer((response) => response.writeHead(500).end('secret words of the partner'));
  await created();
  await until('it to be given up', async () => (await deliveries())[0]?.status === 'failed');
  await quiet();
  expect(await deliveries()).toMatchObject([{ attempts: 3, lastStatus: 500, lastReason: 'answered 500' }]);
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(receiver.received).toHaveLength(3);
  expect(await backends.messages('DEAD_LETTERS')).toEqual([]);
  expect(webhooks.lines.filter((line) => /secret words|a-key-of-the-partner|whsec_/.test(line))).toEqual([]);
});

test('410 disables the endpoint, and what waits for it is suppressed', async () => {
  const { receiver, endpointId, deliveries } = await partner();
  receiver.answer((response) => response.writeHead(503, { 'retry-after': '60' }).end());
  await created();
  await until('the first to wait', async () => (await deliveries())[0]?.attempts === 1);
  receiver.answer((response) => response.writeHead(410).end());
  await created();
  await until('the end', async () => (await deliveries()).every(({ status }) => status === 'suppressed'));
  expect(await findEndpoint(backends.database, endpointId)).toMatchObject({
    enabled: false,
    disabledReason: 'it answered 410 Gone',
  });
  expect(receiver.received).toHaveLength(2);
  await created();
  await until('the event', async () => (await backends.lag('ORDERS', 'webhooks')) === 0);
  expect(await deliveries()).toHaveLength(2);
});

test('Retry-After is waited for, unless the delivery is asked for again', async () => {
  const { receiver, endpointId, deliveries } = await partner();
  receiver.answer((response, nth) => response.writeHead(nth === 1 ? 429 : 200, { 'retry-after': '300' }).end());
  await created();
  const waiting = await until('it to wait', async () => (await deliveries()).find(({ attempts }) => attempts === 1));
  expect(Date.parse(waiting.nextAttemptAt ?? '') - Date.now()).toBeGreaterThan(200_000);
  const which = { endpointId, deliveryId: waiting.deliveryId };
  const asked = randomUUID();
  await redeliver(backends.database, backends.bus, which, asked, continueTrace());
  await until('it to be delivered', async () => (await deliveries())[0]?.status === 'delivered');
  expect(await redeliver(backends.database, backends.bus, which, asked, continueTrace())).toMatchObject({
    status: 'delivered',
    attempts: 2,
  });
  expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([
    waiting.deliveryId,
    waiting.deliveryId,
  ]);
});

test('deliveries that are tried again come one by one, in the order in which they fell due', async () => {
  const { receiver, deliveries } = await partner();
  receiver.answer((response) => response.writeHead(503, { 'retry-after': '3' }).end());
  await Promise.all(Array.from({ length: 8 }, () => created()));
  await until(
    'an attempt of each',
    async () => (await deliveries()).filter(({ attempts }) => attempts === 1).length === 8,
  );
  const due = ({ nextAttemptAt }: { nextAttemptAt: string | null }): number => Date.parse(nextAttemptAt ?? '');
  const inOrder = (await deliveries()).sort((a, b) => due(a) - due(b));
  let [open, most] = [0, 0];
  receiver.answer((response) => {
    open += 1;
    most = Math.max(most, open);
    response.once('close', () => {
      open -= 1;
    });
    setTimeout(() => response.writeHead(200).end(), 300);
  });
  await until('all to arrive', async () => (await deliveries()).every(({ status }) => status === 'delivered'), 30_000);
  const ids = receiver.received.slice(8).map(({ headers }) => headers['webhook-id']);
  expect(ids).toEqual(inOrder.map(({ deliveryId }) => deliveryId));
  expect(most).toBe(1);
}, 60_000);

test('nothing is sent to an endpoint that was disabled while a delivery came to be', async () => {
  const { receiver, endpointId, deliveries } = await partner();
  await changeEndpoint(backends.database, endpointId, { enabled: false }, LOCAL);
  const deliveryId = randomUUID();
  await backends.database.query(
    `insert into webhook_deliveries (delivery_id, endpoint_id, event_id, type, event, next_attempt_at)
     values ($1, $2, 'an event', 'order.created', '{}', now())`,
    [deliveryId, endpointId],
  );
  await sendTask(backends.bus, WEBHOOKS, attemptTask({ deliveryId, attempt: 1, step: 1 }, continueTrace()));
  await until('it to be suppressed', async () => (await deliveries())[0]?.status === 'suppressed');
  expect(receiver.received).toEqual([]);
});

test('what arrived is noted as delivered, though another attempt was noted before, or it was suppressed meanwhile', async () => {
  const { receiver, endpointId, deliveries } = await partner();
  const held: (() => void)[] = [];
  receiver.answer((response) => held.push(() => response.writeHead(200).end()));
  await Promise.all([created(), created()]);
  await until('both to be there', () => held.length === 2);
  const [first] = await deliveries();
  await backends.database.query('update webhook_deliveries set attempts = 1 where delivery_id = $1', [
    first?.deliveryId,
  ]);
  await changeEndpoint(backends.database, endpointId, { enabled: false }, LOCAL);
  for (const release of held) release();
  await until('both to be noted', async () => (await deliveries()).every(({ status }) => status === 'delivered'));
  expect((await deliveries()).map(({ attempts }) => attempts)).toEqual([1, 1]);
});

test('a secret stays good for its time when the next one was lost, and only five sign at once', async () => {
  const { receiver, endpointId, secret, deliveries } = await partner();
  const rotate = async () => (await rotateSecret(backends.database, endpointId, randomUUID())).secret ?? '';
  await rotate();
  const newest = await rotate();
  await created();
  const got = await until('a delivery', () => receiver.received[0]);
  for (const one of [secret, newest]) expect(verified(one, got)).toMatchObject({ type: 'order.created' });
  for (let more = 0; more < 4; more += 1) await rotate();
  await until('it to be noted', async () => (await deliveries())[0]?.status === 'delivered');
  await created();
  const next = await until('another', () => receiver.received[1]);
  expect(String(next.headers['webhook-signature']).split(' ')).toHaveLength(5);
  expect(() => verified(secret, next)).toThrow('No matching signature');
  const soon = 'update webhook_secrets set expires_at = now() where endpoint_id = $1 and expires_at is not null';
  await backends.database.query(soon, [endpointId]);
  await created();
  const last = await until('the last', () => receiver.received[2]);
  expect(String(last.headers['webhook-signature']).split(' ')).toHaveLength(1);
});

test('there are fifty endpoints at most', async () => {
  const wanted = { url: 'https://partner.example/', eventTypes: ['*'] };
  const make = () => createEndpoint(backends.database, randomUUID(), wanted, LOCAL);
  const made = await Promise.allSettled(Array.from({ length: 52 }, make));
  const refusals = made.flatMap((one) => (one.status === 'rejected' ? [one.reason.slug] : []));
  expect(refusals).toEqual(['too-many-endpoints', 'too-many-endpoints']);
});

test('deliveries that ended a month ago are removed when the function has woken up and made one', async () => {
  const { endpointId, deliveries } = await partner();
  await backends.database.query(
    `insert into webhook_deliveries (delivery_id, endpoint_id, event_id, type, event, status, ended_at)
     select gen_random_uuid(), $1, age, 'order.created', '{}', 'delivered', now() - age::interval
     from unnest($2::text[]) as age`,
    [endpointId, ['31 days', '29 days']],
  );
  await webhooks.stop();
  webhooks = await start();
  const eventId = randomUUID();
  await created(eventId);
  await until('the old one to be gone', async () => !(await deliveries()).some((one) => one.eventId === '31 days'));
  expect((await deliveries()).map((one) => one.eventId).sort()).toEqual(['29 days', eventId].sort());
});

test('a slow endpoint has four attempts in work and holds up nobody, and those put back are not counted', async () => {
  const [slow, fast] = [await partner(), await partner()];
  const held: (() => void)[] = [];
  let [open, most] = [0, 0];
  slow.receiver.answer((response) => {
    open += 1;
    most = Math.max(most, open);
    response.once('close', () => {
      open -= 1;
    });
    held.push(() => response.writeHead(200).end());
  });
  await Promise.all(Array.from({ length: 40 }, () => created()));
  const delivered = async ({ deliveries }: typeof slow): Promise<boolean> =>
    (await deliveries()).filter(({ status }) => status === 'delivered').length === 40;
  await until('the fast one to have all', () => delivered(fast));
  expect(await delivered(slow)).toBe(false);
  slow.receiver.answer((response) => response.writeHead(200).end());
  for (const release of held) release();
  await until('the slow one to have all', () => delivered(slow), 40_000);
  expect(most).toBe(4);
  const attempts = (await slow.deliveries()).map((one) => one.attempts).reduce((sum, one) => sum + one);
  expect(slow.receiver.received).toHaveLength(attempts);
}, 60_000);

test('an endpoint that is disabled gets nothing, and what was in work for it is suppressed', async () => {
  const { receiver, endpointId, deliveries } = await partner();
  receiver.answer((response) => response.writeHead(503, { 'retry-after': '2' }).end());
  await created();
  const { deliveryId } = await until('an attempt', async () =>
    (await deliveries()).find(({ attempts }) => attempts === 1),
  );
  await changeEndpoint(backends.database, endpointId, { enabled: false }, LOCAL);
  expect(await deliveries()).toMatchObject([{ status: 'suppressed', nextAttemptAt: null }]);
  const subject = `waiting.webhooks.task-${deliveryId}`;
  const waits = () => backends.bus.api('STREAM.MSG.GET.RETRIES', { last_by_subj: subject }).then(Boolean, () => false);
  expect(await waits()).toBe(true);
  await until(
    'its next task to come',
    async () => !(await waits()) && (await backends.lag('RETRIES', 'webhooks-retries')) === 0,
  );
  expect(receiver.received).toHaveLength(1);
});
