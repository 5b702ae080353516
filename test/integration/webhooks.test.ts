import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { listDeliveries, redeliver } from '../../functions/notifications/webhook-deliveries.ts';
import { changeEndpoint, createEndpoint, findEndpoint } from '../../functions/notifications/webhook-endpoints.ts';
import { REPLAY_HEADER } from '../../functions/runtime/message.ts';
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

beforeAll(async () => {
  backends = await startBackends();
  const env = { WEBHOOK_ALLOW_LOOPBACK: 'true', WEBHOOK_RETRY_SECONDS: '1,1' };
  webhooks = await startFunction('webhooks', backends, { env });
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
