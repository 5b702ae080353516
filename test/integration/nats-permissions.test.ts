/** What the keys of the shop let their owners do, asked of a real nats-server that has the generated accounts. */
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openCommandSender } from '../../functions/runtime/command-sender.ts';
import { type Bus, natsSettings, openBus } from '../../functions/runtime/jetstream/connection.ts';
import type { DeliveredMessage } from '../../functions/runtime/jetstream/delivered-message.ts';
import { newSeed } from '../../functions/runtime/jetstream/nkey.ts';
import { schedule } from '../../functions/runtime/jetstream/schedules.ts';
import { continueTrace } from '../../functions/runtime/trace.ts';
import { withBusAs } from '../../scripts/platform/servers/nats/nats-keys.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { startFunction } from '../support/functions.ts';
import { keepingLog } from '../support/keeping-log.ts';
import { exampleOrder, publishCreated } from '../support/orders.ts';
import { testShell } from '../support/shell.ts';
import { until } from '../support/until.ts';

let backends: Backends;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  backends = await startBackends({ keys: true });
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

afterAll(() => backends?.stop());

const as = <Result>(user: string, use: (bus: Bus) => Promise<Result>): Promise<Result> =>
  withBusAs(user, backends.natsUrl, backends.secrets, use);

/** A connection with the key of `user`, by whatever name. */
async function connected(user: string, name = user) {
  const { log, lines } = keepingLog();
  const { shell, close } = testShell(natsSettings, {
    NATS_URL: backends.natsUrl,
    NATS_SEED_FILE: backends.seedFiles[user] ?? '',
  });
  cleanUps.push(close);
  return { bus: await openBus({ ...shell, name, log }), lines };
}

/** What NATS has answered to a call that it refuses. */
const causeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no refusal',
    ({ cause }) => `${cause}`,
  );

const publish = (user: string, subject: string) =>
  as(user, (bus) => causeOf(bus.publish(subject, '{}', {}, randomUUID())));

test.each([
  'command.order.create',
  'command.order.refund',
  'order.0190.created',
  'user.0190.suspended',
  'parked.command.order.expire.0190',
  'retry.order-view',
  'retry.create-order',
  'waiting.create-order.ORDERS-1-1',
  'dead.create-order',
  'audit.dead-letters.discard',
])('a projector cannot publish to %s', async (subject) => {
  expect(await publish('order-view', subject)).toContain('Permissions Violation');
});

test('of messages published at the same time, the one that is not allowed is refused and the others are stored', async () => {
  const ids = Array.from({ length: 60 }, () => randomUUID());
  const subjects = ids.map((id, index) => `order.${id}.${index === 30 ? 'paid' : 'created'}`);
  const causes = await as('create-order', (bus) =>
    Promise.all(subjects.map((subject, index) => causeOf(bus.publish(subject, '{}', {}, ids[index] ?? '')))),
  );
  expect(causes[30]).toContain('Permissions Violation');
  expect(causes.filter((cause) => cause !== 'no refusal')).toHaveLength(1);
});

test.each([
  ['create-order', 'order.0190.paid'],
  ['create-order', 'command.order.create'],
  ['refund-cancelled', 'command.order.create'],
  ['refund-cancelled', 'parked.command.order.refund.0190'],
  ['expire-unpaid', 'command.order.expire'],
  ['expire-unpaid', 'parked.command.order.refund.0190'],
  ['commands-api', 'command.order.expire'],
  ['commands-api', 'order.0190.created'],
  ['user-service', 'order.0190.created'],
  ['outbox-relay', 'command.order.create'],
  ['order-emails', 'order.0190.created'],
  ['operator', 'order.0190.created'],
  ['nack', 'command.order.create'],
])('%s cannot publish to %s', async (user, subject) => {
  expect(await publish(user, subject)).toContain('Permissions Violation');
});

test('what is refused is an error in the log of who tried, with its subject', async () => {
  const { bus, lines } = await connected('order-view');
  await causeOf(bus.publish('command.order.create', '{}', {}, randomUUID()));
  const { level, fields } = await until('the line', () =>
    lines.find(({ message }) => message.startsWith('NATS refused')),
  );
  expect(level).toBe('error');
  expect(fields).toMatchObject({
    error: 'PERMISSIONS_VIOLATION',
    operation: 'publish',
    subject: 'command.order.create',
  });
});

const FUNCTIONS = ['order-view', 'create-order', 'expire-unpaid', 'commands-api', 'outbox-relay', 'order-emails'];

test.each([...FUNCTIONS, 'operator', 'nack'])('%s cannot remove a stream, its messages or a consumer', async (user) => {
  await as(user, async ({ api }) => {
    for (const call of ['STREAM.DELETE.ORDERS', 'STREAM.PURGE.ORDERS', 'STREAM.PURGE.RETRIES', 'STREAM.RESTORE.ORDERS'])
      expect(await causeOf(api(call)), call).toContain('Permissions Violation');
    expect(await causeOf(api('CONSUMER.DELETE.ORDERS.order-view'))).toContain('Permissions Violation');
  });
});

test.each(FUNCTIONS)('%s can neither look into a stream nor change one or a consumer', async (user) => {
  await as(user, async ({ api }) => {
    for (const call of [
      'STREAM.INFO.USERS',
      'STREAM.MSG.GET.USERS',
      'DIRECT.GET.USERS',
      'STREAM.UPDATE.USERS',
      'STREAM.MSG.DELETE.USERS',
      'CONSUMER.CREATE.USERS.spy',
      'CONSUMER.MSG.NEXT.USERS.account-emails',
    ])
      expect(await causeOf(api(call, {})), call).toContain('Permissions Violation');
  });
});

test('a projector that pulls from the consumer of another gets nothing, and is not ready', async () => {
  const { bus } = await connected('order-view', 'order-view');
  await backends.bus.publish('command.order.ship', '{}', {}, randomUUID());
  const taken: DeliveredMessage[] = [];
  const pull = bus.pull({ stream: 'COMMANDS', consumer: 'ship-order', inFlight: 1 }, (message) => taken.push(message));
  cleanUps.push(() => pull.stop());
  await until('the refusal', () => pull.problem()?.includes('may not pull'));
  expect(taken).toEqual([]);
});

test('a projector cannot acknowledge what another has taken', async () => {
  const inWork = async () => {
    const info = 'CONSUMER.INFO.COMMANDS.deliver-order';
    return (await backends.bus.api<{ num_ack_pending: number }>(info)).num_ack_pending;
  };
  await backends.bus.publish('command.order.deliver', '{}', {}, randomUUID());
  const { bus: owner } = await connected('deliver-order');
  const taken: DeliveredMessage[] = [];
  const options = { stream: 'COMMANDS', consumer: 'deliver-order', inFlight: 1 };
  const pull = owner.pull(options, (message) => taken.push(message));
  cleanUps.push(() => pull.stop());
  const { sequence, storedAtNanos } = await until('the command', () => taken[0]);

  const { bus, lines } = await connected('order-view');
  const rest = `1.${sequence}.1.${storedAtNanos}.0`;
  for (const place of [
    'COMMANDS.deliver-order',
    '_.hash.COMMANDS.deliver-order',
    'COMMANDS.deliver-order.ORDERS.order-view',
  ])
    bus.send(`$JS.ACK.${place}.${rest}`, '+ACK');
  await bus.flush();
  await until('the refusals', () => lines.filter(({ message }) => message.startsWith('NATS refused')).length === 3);
  expect(await inWork()).toBe(1);
  taken[0]?.ack();
  await until('its own acknowledgement to count', async () => (await inWork()) === 0);
});

test('nobody else can read the answers to commands-api, and only handlers of its commands can write them', async () => {
  const heard: string[] = [];
  const spied: string[] = [];
  const { bus: api } = await connected('commands-api');
  const inbox = api.inbox((_token, payload) => heard.push(payload));
  expect(inbox).toMatch(/^_INBOX\.commands-api\.answers\./);

  const { bus: spy, lines } = await connected('order-view', 'commands-api');
  spy.inbox((_token, payload) => spied.push(payload));
  await until('the refusal', () => lines.some(({ fields }) => fields.operation === 'subscription'));

  for (const user of [...FUNCTIONS, 'refund-cancelled', 'expire-order'])
    await as(user, async (bus) => {
      bus.send(`${inbox}.1`, user);
      bus.send(inbox.replace('.answers', ''), user);
      await bus.flush();
    });
  await as('pay-order', async (bus) => {
    bus.send(`${inbox}.1`, 'pay-order');
    await bus.flush();
  });
  await until('the last answer', () => heard.includes('pay-order'));
  expect(heard).toEqual(['create-order', 'pay-order']);
  expect(spied).toEqual([]);
});

test('without a key, and with one that is not known, there is no way in', async () => {
  const unknown = path.join(backends.secrets, 'unknown');
  await writeFile(unknown, newSeed());
  for (const environment of [{}, { NATS_SEED_FILE: unknown }]) {
    const { shell } = testShell(natsSettings, { NATS_URL: backends.natsUrl, ...environment });
    await expect(openBus(shell, 2_000)).rejects.toMatchObject({ code: 'unauthenticated', slug: 'nats-key-refused' });
  }
});

test('a function whose key NATS does not take says so while it waits', async () => {
  const env = { NATS_SEED_FILE: path.join(backends.secrets, 'unknown') };
  await writeFile(env.NATS_SEED_FILE, newSeed());
  const salesView = await startFunction('sales-view', backends, { env, whenReady: false });
  cleanUps.push(() => {
    salesView.kill('SIGKILL');
    return salesView.exited;
  });
  await until('the warning', () => salesView.lines.some((line) => line.includes('does not take the key')));
  expect((await fetch(`${salesView.url}/readyz`)).ok).toBe(false);
});

test('a key is changed by changing the file: the next connection has it', async () => {
  const file = path.join(backends.secrets, 'changing');
  const seedOf = (user: string) => readFile(backends.seedFiles[user] ?? '', 'utf8');
  await writeFile(file, await seedOf('order-view'));
  const { shell, close } = testShell(natsSettings, { NATS_URL: backends.natsUrl, NATS_SEED_FILE: file }, 'pay-order');
  cleanUps.push(close);
  const bus = await openBus(shell);
  const send = () => bus.publish('order.0190.paid', '{}', {}, randomUUID());
  await expect(send()).rejects.toMatchObject({ slug: 'nats-unavailable' });
  await writeFile(file, await seedOf('pay-order'));
  await backends.restartNats();
  await until('the event to be stored', send);
});

test('a projector does its whole job with its key: projects, tries again, keeps dead letters', async () => {
  const orderView = await startFunction('order-view', backends);
  cleanUps.push(() => orderView.stop());
  const order = exampleOrder();
  await as('outbox-relay', async (bus) => {
    await publishCreated(bus, order);
    await publishCreated(bus, exampleOrder({ version: 0 }));
  });
  await until('the order and the letter', async () => {
    const { rows } = await backends.database.query('select from order_view where order_id = $1', [order.orderId]);
    const letters = await backends.messages('DEAD_LETTERS');
    return rows.length === 1 && letters.some(({ subject }) => subject === 'dead.order-view');
  });
  await until('nothing to be left', async () => (await backends.undone('ORDERS', 'order-view')) === 0);
  expect(orderView.lines.filter((line) => line.includes('NATS refused'))).toEqual([]);
});

/** A command as a retry of a message that never was. */
const forged = { 'millrace-origin': 'COMMANDS 1 1 command.order.create', 'millrace-attempts': '0' };

test('a schedule that is aimed at another function is not handled by it, though the server lets it pass', async () => {
  const createOrder = await startFunction('create-order', backends);
  cleanUps.push(() => createOrder.stop());
  const payload = JSON.stringify({ customerId: randomUUID(), lines: [{ sku: 'tea', quantity: 1 }] });
  const aimedAt = (target: string, headers = {}) => ({ at: new Date().toISOString(), target, payload, headers });
  await as('order-view', (bus) =>
    schedule(bus, 'waiting.order-view.x', aimedAt('retry.create-order', forged), randomUUID()),
  );
  await as('expire-unpaid', (bus) =>
    schedule(bus, 'parked.command.order.expire.x', aimedAt('command.order.create'), randomUUID()),
  );
  const lie = { ...forged, 'nats-scheduler': 'waiting.create-order.x' };
  await as('order-view', (bus) =>
    schedule(bus, 'waiting.order-view.y', aimedAt('retry.create-order', lie), randomUUID()),
  );
  await until('three dead letters', async () => {
    const letters = (await backends.messages('DEAD_LETTERS')).filter(({ subject }) => subject === 'dead.create-order');
    return letters.length === 3 && letters.every(({ headers }) => headers.includes('millrace-error: wrong-schedule'));
  });
  expect((await backends.database.query('select from commands')).rows).toEqual([]);
});

test('a confirmation of the server where events are, as any key can have it sent, is a dead letter, and the next event is handled', async () => {
  const order = exampleOrder();
  const orderView = await startFunction('order-view', backends);
  cleanUps.push(() => orderView.stop());
  await as('outbox-relay', (bus) =>
    bus.publish(`order.${order.orderId}.paid`, '{"stream":"DEAD_LETTERS","seq":1}', {}, randomUUID()),
  );
  await as('outbox-relay', (bus) => publishCreated(bus, order));
  await until('the order, and the letter', async () => {
    const { rows } = await backends.database.query('select status from order_view where order_id = $1', [
      order.orderId,
    ]);
    const letters = await backends.messages('DEAD_LETTERS');
    return (
      rows.length === 1 &&
      letters.some(
        ({ subject, headers }) => subject === 'dead.order-view' && headers.includes(`order.${order.orderId}.paid`),
      )
    );
  });
});

test('a handler that answers a command again leaves to outbox-relay what others have not sent', async () => {
  const createOrder = await startFunction('create-order', backends);
  cleanUps.push(() => createOrder.stop());
  const { shell, close } = testShell(
    natsSettings,
    { NATS_URL: backends.natsUrl, NATS_SEED_FILE: backends.seedFiles['commands-api'] ?? '' },
    'commands-api',
  );
  cleanUps.push(close);
  const send = openCommandSender(shell, await openBus(shell));
  const [id, orderId, customerId] = [randomUUID(), randomUUID(), randomUUID()];
  const data = { orderId, customerId, lines: [{ sku: 'tea', quantity: 1 }] };
  const command = { id, type: 'command.order.create', subject: orderId, data, trace: continueTrace(undefined) };
  await backends.database.query(`insert into outbox values ('left', $1, '{}', '{}')`, [`order.${orderId}.paid`]);
  const answers = [await send(command, 20_000), await send(command, 20_000)];
  for (const answer of answers) expect(answer).toMatchObject({ error: { slug: 'unknown-product' } });
  expect((await backends.database.query('select event_id from outbox')).rows).toEqual([{ event_id: 'left' }]);
  expect(createOrder.lines.filter((line) => line.includes('NATS refused'))).toEqual([]);
});
