import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pathsOf } from '../../scripts/platform/servers/data-folder.ts';
import { startShop } from '../support/shop.ts';
import { type Collector, startTraceCollector, treeOf } from '../support/trace-collector.ts';
import { until } from '../support/until.ts';

let collector: Collector;
let shop: Awaited<ReturnType<typeof startShop>>;

beforeAll(async () => {
  collector = await startTraceCollector();
  shop = await startShop({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, PAYMENT_WINDOW_SECONDS: '8' });
});

afterAll(async () => {
  await shop?.end();
  await collector?.close();
});

const EMAIL = 'planted.person@example.com';
const PASSWORD = 'planted-password-of-a-person';

/** A connection to Postgres is made when none is idle: no tree can promise it. */
const steadyTree = (traceId: string): string =>
  treeOf(
    collector.spans.filter(({ name }) => name !== 'pg.connect'),
    traceId,
  );

const ORDER = `
commands-api server POST /v1/orders
  commands-api client millrace.users.v1.UserService/GetSigningKeys
    user-service server millrace.users.v1.UserService/GetSigningKeys
  commands-api producer send command.order.create
    create-order consumer process command.order.create
      create-order client DELETE outbox-remove
      create-order client INSERT append-order-1
      create-order client SELECT load-order
      create-order producer send order.created
        expire-unpaid consumer process order.created
          expire-unpaid producer send command.order.expire
            expire-order consumer process command.order.expire
              expire-order client DELETE outbox-remove
              expire-order client INSERT append-order-1
              expire-order client SELECT load-order
              expire-order producer send order.expired
                order-emails consumer process order.expired
                  order-emails client INSERT claims-claim
                  order-emails client INSERT order-state-see
                  order-emails client SELECT recipient
                  order-emails client UPDATE claims-end
                  order-emails client millrace.users.v1.UserService/GetUser
                    user-service server millrace.users.v1.UserService/GetUser
                      user-service client pg-pool.connect
                      user-service client pg.query:user-by-id postgres
                  order-emails client send mail
                order-emails internal wait
                order-view consumer process order.expired
                  order-view client INSERT project-order_view
                order-view internal wait
                webhooks consumer process order.expired
                  webhooks client SELECT webhook-endpoints-for
                webhooks internal wait
            expire-order internal wait
        expire-unpaid internal wait
        order-emails consumer process order.created
          order-emails client INSERT claims-claim
          order-emails client INSERT order-state-see
          order-emails client SELECT recipient
          order-emails client UPDATE claims-end
          order-emails client millrace.users.v1.UserService/GetUser
            user-service server millrace.users.v1.UserService/GetUser
              user-service client pg-pool.connect
              user-service client pg.query:user-by-id postgres
          order-emails client send mail
        order-emails internal wait
        order-view consumer process order.created
          order-view client INSERT project-order_view
        order-view internal wait
        sales-view consumer process order.created
          sales-view client INSERT project-sales_view
        sales-view internal wait
        webhooks consumer process order.created
          webhooks client SELECT webhook-endpoints-for
        webhooks internal wait
    create-order internal wait`.trim();

test('an order is one trace, from the request to the e-mail and to its end by a timer', {
  timeout: 120_000,
}, async () => {
  const traceId = randomBytes(16).toString('hex');
  const account = { email: EMAIL, password: PASSWORD };
  await shop.call('POST', '/v1/users', { body: account });
  const token = await shop.signIn(account);
  const headers = {
    'idempotency-key': randomUUID(),
    prefer: 'wait=25',
    traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
  };
  const sent = { token, headers, body: { lines: [{ sku: 'mug', quantity: 1 }] } };
  const { status, body } = await shop.call('POST', '/v1/orders', sent);
  expect(status).toBe(201);
  await until('the whole tree', () => steadyTree(traceId).split('\n').length >= ORDER.split('\n').length, 60_000);
  expect(steadyTree(traceId)).toBe(ORDER);

  const own = collector.spans.filter((span) => span.traceId === traceId);
  const [request] = own.filter(({ kind, service }) => kind === 'server' && service === 'commands-api');
  expect(request).toMatchObject({
    parentSpanId: '00f067aa0ba902b7',
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/v1/orders',
      'http.response.status_code': 201,
      'cloudevents.event_subject': body.orderId,
    },
  });
  const handlers = own.filter(({ kind, name }) => kind === 'consumer' || name === 'wait');
  expect(new Set(handlers.map(({ attributes }) => attributes['cloudevents.event_subject']))).toEqual(
    new Set([body.orderId]),
  );

  const woken = own.find(({ name, service }) => name === 'wait' && service === 'create-order');
  expect(woken?.attributes['millrace.wait.reason']).toBe('cold-start');
  const parts = ['slept', 'started', 'queued'].map((part) => Number(woken?.attributes[`millrace.wait.${part}_ms`]));
  const whole = Number(BigInt(woken?.endTimeUnixNano ?? 0) - BigInt(woken?.startTimeUnixNano ?? 0)) / 1e6;
  expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
  expect(Math.abs(parts.reduce((sum, part) => sum + part, 0) - whole)).toBeLessThan(3);

  // What is wrong quotes what was sent, in answers and in errors of Postgres.
  await shop.call('POST', '/v1/sessions', { body: { email: EMAIL, password: `${PASSWORD} but wrong` } });
  await shop.call('GET', `/v1/orders/${EMAIL}`, { token });
  await shop.call('GET', `/v1/orders?cursor=${EMAIL}`, { token });
  const told = collector.bodies.length;
  await until('what was told of it', () => collector.bodies.length > told);
});

test('no span holds an address, a password, a token or a secret of the shop', () => {
  const { secrets } = pathsOf(shop.dataDir);
  const kept = readdirSync(secrets, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => readFileSync(path.join(file.parentPath, file.name), 'utf8').trim());
  expect(kept.length).toBeGreaterThan(0);
  const all = collector.bodies.join('\n');
  expect(all).toContain('service.name');
  const planted = [EMAIL, encodeURIComponent(EMAIL), PASSWORD, 'eyJ', 'postgres://', 'nats://', 'smtp://'];
  for (const secret of [...planted, ...kept]) expect(all.includes(secret), secret.slice(0, 8)).toBe(false);
});

/** What nothing else has led to, in a trace of its own. */
const beginnings = (): string[] => {
  const known = new Set(collector.spans.map(({ spanId }) => spanId));
  const begun = collector.spans.filter(({ parentSpanId }) => !parentSpanId || !known.has(parentSpanId));
  return [...new Set(begun.map(({ service, name }) => `${service} ${name}`))];
};
/** Requests of this test, and the accounts that the shop begins with. */
const EXPECTED = /^((commands|queries)-api (POST|GET) \/v1\/|user-service millrace.users.v1.UserService\/CreateUser$)/;

test('probes, polls and pushes make no spans', async () => {
  await until('all parents', () => beginnings().every((name) => EXPECTED.test(name)));
  expect(beginnings()).toContain('commands-api POST /v1/sessions');
});
