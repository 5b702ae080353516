import { randomBytes, randomUUID } from 'node:crypto';
import { SMTPServer } from 'smtp-server';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type DeadLetter, readDeadLetters } from '../../scripts/operate/dead-letters/dead-letters.ts';
import { redrive } from '../../scripts/operate/dead-letters/redrive.ts';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { type RunningFunction, startFunction } from '../support/functions.ts';
import { exampleOrder } from '../support/orders.ts';
import { type Collector, type Span, startTraceCollector, treeOf } from '../support/trace-collector.ts';
import { until } from '../support/until.ts';
import { startUserService } from '../support/user-service-fixture.ts';

let backends: Backends;
let collector: Collector;
const customerId = randomUUID();
const running: RunningFunction[] = [];

beforeAll(async () => {
  backends = await startBackends();
  await backends.database.query(`insert into users values ($1, 'ada@example.com', 'x', 'customer', now())`, [
    customerId,
  ]);
  await backends.database.query(`insert into products (sku, name, price_minor, currency, stock) values
    ('mug', 'Mug', 1250, 'EUR', 100)`);
});
afterAll(() => backends?.stop());
beforeEach(async () => {
  collector = await startTraceCollector();
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  await collector.close();
});

async function start(name: string, env: Readonly<Record<string, string>> = {}): Promise<RunningFunction> {
  const one = await startFunction(name, backends, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env } });
  running.push(one);
  return one;
}
/** Ends all that runs: what they had to tell has been told. */
const stopAll = async (): Promise<void> => {
  for (const one of running.splice(0)) await one.stop();
};

type Sent = { readonly traceId: string; readonly spanId: string; readonly traceparent: string };
const newTrace = (flags = '01'): Sent => {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
};

const publishCreated = (order: { orderId: string }, { traceparent }: Sent): Promise<number> => {
  const headers = { 'ce-id': randomUUID(), 'ce-source': '/test', traceparent };
  return backends.bus.publish(`order.${order.orderId}.created`, JSON.stringify({ order }), headers, randomUUID());
};
const createOrder = ({ traceparent }: Sent, orderId: string = randomUUID()): Promise<number> => {
  const command = { orderId, customerId, lines: [{ sku: 'mug', quantity: 1 }] };
  return backends.bus.publish('command.order.create', JSON.stringify(command), { traceparent }, randomUUID());
};

const of = ({ traceId }: Sent): Span[] => collector.spans.filter((span) => span.traceId === traceId);
const named = (spans: readonly Span[], name: string): Span[] =>
  spans
    .filter((span) => span.name === name)
    .sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)));

test('what is tried again, handed back or parked meanwhile, stays one trace with its causes', async () => {
  const port = await freePort();
  const users = await startUserService(backends);
  const emails = await start('order-emails', {
    USER_SERVICE_ADDRESS: users.address,
    SMTP_URL: `smtp://127.0.0.1:${port}`,
  });
  const sent = newTrace();
  const order = exampleOrder({ customerId });
  await publishCreated(order, sent);
  const parked = () => named(of(sent), 'park').find(({ attributes }) => attributes['millrace.retry.how'] === 'parked');
  await until('the message to be parked', parked, 40_000);
  const mailServer = new SMTPServer({ authOptional: true, disabledCommands: ['AUTH', 'STARTTLS'] });
  await new Promise<void>((resolve) => mailServer.listen(port, '127.0.0.1', resolve));
  await until('the e-mail', () => emails.lines.some((line) => line.includes('"delivered"')), 50_000);
  await stopAll();

  const spans = of(sent);
  const attempts = named(spans, 'process order.created');
  expect(attempts.map(({ parentSpanId }) => parentSpanId)).toEqual(attempts.map(() => sent.spanId));
  expect(attempts.map(({ attributes }) => attributes['millrace.attempt'])).toEqual(
    attempts.map((_, index) => index + 1),
  );
  expect(attempts.length).toBeGreaterThan(2);
  const failed = attempts.slice(0, -1);
  expect(failed.map(({ status }) => status)).toEqual(failed.map(() => ({ code: 2, message: 'smtp-unavailable' })));
  expect(attempts.at(-1)?.status.code).toBe(0);

  const parks = named(spans, 'park');
  expect(parks.map(({ parentSpanId }) => parentSpanId)).toEqual(failed.map(({ spanId }) => spanId));
  expect(new Set(parks.map(({ attributes }) => attributes['millrace.retry.how']))).toEqual(new Set(['nak', 'parked']));
  const waits = named(spans, 'wait');
  expect(waits).toHaveLength(attempts.length);
  const reasons = waits.map(({ attributes }) => attributes['millrace.wait.reason']);
  expect(reasons).toEqual(['lag', ...parks.map(() => 'retry')]);
  for (const [index, park] of parks.entries()) {
    const due = Date.parse(String(park.attributes['millrace.retry.at']));
    expect(Number(waits[index + 1]?.startTimeUnixNano) / 1e6).toBeGreaterThanOrEqual(due - 1);
  }
  expect(named(spans, 'send mail').map(({ status }) => status.code)).toEqual([...failed.map(() => 2), 0]);
  expect(named(spans, 'send mail')[0]?.attributes).toEqual({
    'peer.service': 'smtp',
    'server.address': '127.0.0.1',
    'millrace.notification.key': expect.stringMatching(/^[0-9a-f-]{36}\.order-confirmation$/),
    'error.type': 'smtp-unavailable',
  });

  const told = emails.lines.filter((line) => line.includes('will try again')).map((line) => JSON.parse(line));
  expect(told.length).toBe(parks.length);
  for (const line of told) expect(line).toMatchObject({ traceId: sent.traceId, subject: order.orderId });
  await users.stop();
  await new Promise<void>((resolve) => mailServer.close(resolve));
});

test('a breaker tells the call that opened it, and those that it turned away', async () => {
  const emails = await start('order-emails', { SMTP_URL: `smtp://127.0.0.1:${await freePort()}` });
  const sent = newTrace();
  await publishCreated(exampleOrder({ customerId }), sent);
  const events = () => named(of(sent), 'millrace.users.v1.UserService/GetUser').flatMap((span) => span.events);
  await until('a call to be turned away', () => events().some(({ name }) => name === 'breaker.rejected'), 40_000);
  expect(events().find(({ name }) => name === 'breaker.open')?.attributes).toEqual({ 'millrace.target': 'users' });
  expect(emails.lines.some((line) => line.includes('"target":"users"') && line.includes(sent.traceId))).toBe(true);
});

test('a batch is one span that links to each message, and each message has a span that links to the batch', async () => {
  const sent = Array.from({ length: 40 }, () => newTrace());
  for (const one of sent) await publishCreated(exampleOrder(), one);
  await start('order-view');
  await until('all to be handled', async () => (await backends.lag('ORDERS', 'order-view')) === 0);
  await stopAll();

  const batches = named(collector.spans, 'process batch');
  expect(batches.length).toBeGreaterThan(0);
  for (const batch of batches) {
    const { traceId, spanId, links, attributes } = batch;
    expect(attributes['messaging.batch.message_count']).toBe(links.length);
    expect(links.length).toBeGreaterThan(1);
    expect(treeOf(collector.spans, traceId)).toBe(
      'order-view consumer process batch\n  order-view client INSERT project-order_view',
    );
    for (const link of links) {
      const [own] = named(collector.spans, 'process order.created').filter((span) => span.traceId === link.traceId);
      expect(own).toMatchObject({ parentSpanId: link.spanId, links: [{ traceId, spanId }] });
    }
  }
  for (const one of sent) {
    expect(named(of(one), 'process order.created')).toHaveLength(1);
    expect(named(of(one), 'wait')[0]?.attributes['millrace.wait.reason']).toBe('cold-start');
  }
});

test('one bad message of a batch has the dead letter, and stays in its trace when it is redriven', async () => {
  const [good, bad] = [newTrace(), newTrace()];
  await publishCreated(exampleOrder(), newTrace());
  await publishCreated(exampleOrder(), good);
  await publishCreated({ orderId: randomUUID() }, bad);
  await start('sales-view');
  await until('all to be handled', async () => (await backends.lag('ORDERS', 'sales-view')) === 0);
  const letters: DeadLetter[] = [];
  for await (const letter of readDeadLetters(backends.bus)) letters.push(letter);
  await redrive(backends.bus, letters, 100, async () => undefined);
  await until('another attempt', () => named(of(bad), 'dead letter').length === 2);
  await stopAll();
  const attempt = 'sales-view consumer process order.created\n  sales-view internal dead letter';
  const wait = 'sales-view internal wait';
  expect(treeOf(collector.spans, bad.traceId)).toBe([attempt, attempt, wait, wait].join('\n'));
  for (const { status, parentSpanId } of named(of(bad), 'process order.created'))
    expect([status, parentSpanId]).toEqual([{ code: 2, message: 'invalid-event' }, bad.spanId]);
  expect(named(of(good), 'process order.created')[0]?.status.code).toBe(0);
});

test('a trace that nobody wants recorded is not, and says so to whoever comes next', async () => {
  const [unwanted, wanted] = [newTrace('00'), newTrace()];
  const orderId = randomUUID();
  await createOrder(unwanted, orderId);
  await createOrder(wanted);
  await start('create-order');
  await until('both to be handled', async () => (await backends.lag('COMMANDS', 'create-order')) === 0);
  await stopAll();
  expect(named(of(wanted), 'send order.created')).toHaveLength(1);
  expect(of(unwanted)).toEqual([]);
  const event = (await backends.messages('ORDERS')).find(({ subject }) => subject === `order.${orderId}.created`);
  expect(event?.headers).toMatch(new RegExp(`traceparent: 00-${unwanted.traceId}-[0-9a-f]{16}-00`));
});

test('what was left in the outbox is sent in the trace of what it tells', async () => {
  const sent = newTrace();
  const orderId = randomUUID();
  const headers = JSON.stringify({
    'ce-id': 'left-1',
    'ce-type': 'order.expired',
    'ce-subject': orderId,
    traceparent: sent.traceparent,
  });
  await backends.database.query(`insert into outbox values ('left-1', $1, $2, '{}', now() - interval '1 minute')`, [
    `order.${orderId}.expired`,
    headers,
  ]);
  await start('outbox-relay');
  await until(
    'the row to be sent',
    async () => (await backends.database.query('select from outbox')).rows.length === 0,
  );
  await stopAll();
  expect(treeOf(collector.spans, sent.traceId)).toBe('outbox-relay producer send order.expired');
  expect(of(sent)[0]?.parentSpanId).toBe(sent.spanId);
});

test('a collector that is away disturbs nobody, and is told of once', async () => {
  const away = `http://127.0.0.1:${await freePort()}`;
  const creating = await start('create-order', { OTEL_EXPORTER_OTLP_ENDPOINT: away });
  await createOrder(newTrace());
  await until('it to be told', () => creating.lines.some((line) => line.includes('traces cannot be pushed')));
  await createOrder(newTrace());
  await until('both to be handled', async () => (await backends.lag('COMMANDS', 'create-order')) === 0);
  await stopAll();
  expect(creating.lines.filter((line) => line.includes('traces cannot be pushed'))).toHaveLength(1);
});
