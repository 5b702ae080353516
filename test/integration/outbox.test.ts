import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { until } from '../support/until.ts';

let backends: Backends;
const running: RunningFunction[] = [];

beforeAll(async () => {
  backends = await startBackends();
});

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

afterAll(() => backends?.stop());

const start = async (name: string) => {
  running.push(await startFunction(name, backends));
};

/** What a process leaves that dies after its commit: a row that was not published. */
async function leave(subject: string, seconds = 0): Promise<string> {
  const eventId = randomUUID();
  await backends.database.query(
    `insert into outbox values ($1, $2, '{"ce-id": "${eventId}"}', '{"left": true}', now() - $3 * interval '1 s')`,
    [eventId, subject, seconds],
  );
  return eventId;
}

const outbox = async (): Promise<string[]> =>
  (await backends.database.query('select event_id from outbox')).rows.map(({ event_id }) => event_id);
const published = async (eventId: string) =>
  (await backends.messages('ORDERS')).filter(({ headers }) => headers.includes(`Nats-Msg-Id: ${eventId}`));

test('outbox-relay publishes what is left, once, and leaves young rows to their process', async () => {
  const old = await Promise.all(Array.from({ length: 250 }, () => leave(`order.${randomUUID()}.created`, 10)));
  const young = await leave(`order.${randomUUID()}.created`, -600);
  await start('outbox-relay');
  await until('the rows to be gone', async () => (await outbox()).length === 1);
  expect(await outbox()).toEqual([young]);
  for (const eventId of old.slice(0, 5)) expect(await published(eventId)).toHaveLength(1);
  expect(await backends.messages('ORDERS')).toHaveLength(250);
  expect(await published(young)).toEqual([]);
});

test('a row that was published before and left behind is not in the stream twice', async () => {
  const eventId = await leave(`order.${randomUUID()}.created`, 10);
  const [subject] = (await backends.database.query('select subject from outbox where event_id = $1', [eventId])).rows;
  await backends.bus.publish(subject.subject, '{"left": true}', {}, eventId);
  await start('outbox-relay');
  await until('the row to be gone', async () => !(await outbox()).includes(eventId));
  expect(await published(eventId)).toHaveLength(1);
});

test('a command that comes again publishes what its first handling left, before it is answered', async () => {
  await start('create-order');
  await backends.database.query(`insert into products values ('mug', 'Mug', 1250, 'EUR', 1000) on conflict do nothing`);
  const orderId = randomUUID();
  const command = JSON.stringify({ orderId, customerId: randomUUID(), lines: [{ sku: 'mug', quantity: 1 }] });
  const send = () => backends.bus.publish('command.order.create', command, { 'ce-id': orderId }, randomUUID());
  await send();
  await until(
    'the order',
    async () =>
      (await backends.database.query('select from order_events where order_id = $1', [orderId])).rows.length === 1,
  );
  await until('the command to be done', async () => (await backends.undone('COMMANDS', 'create-order')) === 0);
  const eventId = await leave(`order.${orderId}.created`);
  await send();
  await until('the command to be done again', async () => (await published(eventId)).length === 1);
  await until('the row to be gone', async () => !(await outbox()).includes(eventId));
});

test('with NATS gone after the commit, the order is published when it is back', async () => {
  await start('create-order');
  const orderId = randomUUID();
  const command = JSON.stringify({ orderId, customerId: randomUUID(), lines: [{ sku: 'mug', quantity: 1 }] });
  const [fn] = running;
  await backends.signalNats('SIGSTOP');
  const posted = fetch(fn?.url ?? '', {
    method: 'POST',
    body: command,
    headers: {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': orderId,
      'ce-source': '/test',
      'ce-type': 'command.order.create',
    },
  });
  await until(
    'the commit',
    async () =>
      (await backends.database.query('select from order_events where order_id = $1', [orderId])).rows.length === 1,
  );
  expect((await posted).status).toBe(503);
  expect(await outbox()).toHaveLength(2);
  await backends.signalNats('SIGCONT');
  await start('outbox-relay');
  const subject = `order.${orderId}.created`;
  await until('the event', async () =>
    (await backends.messages('ORDERS')).some((message) => message.subject === subject),
  );
  await until('the row to be gone', async () => (await outbox()).length === 1);
  expect((await backends.messages('ORDERS')).filter((message) => message.subject === subject)).toHaveLength(1);
});
