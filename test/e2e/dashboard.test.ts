import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsSettings, openBus } from '../../functions/runtime/jetstream/connection.ts';
import { OPERATOR } from '../../scripts/registry/nats-users/permissions.ts';
import { dashboardQueries } from '../support/dashboard.ts';
import { type Prometheus, startPrometheus } from '../support/prometheus.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { testShell } from '../support/shell.ts';
import { startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let prometheus: Prometheus;
let shop: Awaited<ReturnType<typeof startShop>>;
let partner: Receiver;

beforeAll(async () => {
  prometheus = await startPrometheus();
  shop = await startShop({ OTEL_EXPORTER_OTLP_ENDPOINT: prometheus.otlpUrl });
  const token = await shop.signUp();
  await tellPartner();
  for (let quantity = 1; quantity <= 3; quantity += 1) {
    const headers = { 'idempotency-key': randomUUID() };
    const body = { lines: [{ sku: 'tea', quantity }] };
    expect((await shop.call('POST', '/v1/orders', { token, headers, body })).status).toBe(201);
  }
  await sendPoison();
}, 180_000);

afterAll(async () => {
  await shop?.end();
  await partner?.close();
  await prometheus?.stop();
});

/** Somebody who is told of each order. */
async function tellPartner(): Promise<void> {
  partner = await startReceiver();
  const { status } = await shop.call('POST', '/v1/webhook-endpoints', {
    token: await shop.signIn(shop.demo.staff),
    headers: { 'idempotency-key': randomUUID() },
    body: { url: partner.url, eventTypes: ['order.created'] },
  });
  expect(status).toBe(201);
}

/** A command that can never work. */
async function sendPoison(): Promise<void> {
  const { shell, close } = testShell(
    natsSettings,
    { NATS_URL: shop.endpoints.nats, NATS_SEED_FILE: shop.natsKey },
    OPERATOR.name,
  );
  const bus = await openBus(shell);
  await bus.publish('command.order.pay', '{"not": "a payment"}', {}, 'poison');
  await close();
}

const valueNow = async (expr: string): Promise<number | undefined> => (await prometheus.query(expr))[0]?.value;

test('Prometheus takes all that is pushed', async () => {
  await until('metrics of the platform', async () => (await valueNow('sum(millrace_replicas)')) !== undefined);
  expect(prometheus.refused).toEqual([]);
});

test('every query of the dashboard has data when a shop has run', { timeout: 120_000 }, async () => {
  for (const { title, expr } of dashboardQueries())
    await until(`data of '${title}': ${expr}`, async () =>
      (await prometheus.query(expr)).some(({ value }) => Number.isFinite(value)),
    );
});

test('Prometheus counts what functions counted, those of short lives included', async () => {
  await until(
    'three orders',
    async () => ((await valueNow('sum(millrace_messages_handled_total{type="command.order.create"})')) ?? 0) >= 3,
  );
  const seen = 'sum(increase(millrace_messages_dead_lettered_total{type="command.order.pay"}[5m]))';
  await until('the dead letter in an increase', async () => Number(await valueNow(seen)) > 0);
});

test('the alert of the dead letter fires', async () => {
  await until(
    'the alert',
    async () => (await valueNow('ALERTS{alertname="DeadLetters",service_name="pay-order",alertstate="firing"}')) === 1,
  );
});

test('a latency has exemplars that name traces', async () => {
  type Series = { readonly exemplars: readonly { readonly labels: Readonly<Record<string, string>> }[] };
  const found = async () => {
    const query = 'millrace_message_effect_seconds_bucket';
    const span = `start=${Date.now() / 1_000 - 600}&end=${Date.now() / 1_000 + 60}`;
    const series = (await prometheus.get(`query_exemplars?query=${query}&${span}`)) as Series[];
    return series.flatMap(({ exemplars }) => exemplars);
  };
  const [exemplar] = await until('an exemplar', async () => {
    const exemplars = await found();
    return exemplars.length > 0 ? exemplars : undefined;
  });
  expect(exemplar?.labels.trace_id).toMatch(/^[0-9a-f]{32}$/);
});

test('what scales up is counted, and is back at nothing when there is no more to do', { timeout: 90_000 }, async () => {
  const changes = (direction: string) =>
    valueNow(`sum(millrace_scale_changes_total{function="create-order",direction="${direction}"})`);
  await until('create-order to be up and down again', async () => Number(await changes('down')) > 0, 60_000);
  expect(await changes('up')).toBeGreaterThan(0);
  await until('no replica', async () => (await valueNow('sum(millrace_replicas{function="create-order"})')) === 0);
  expect(await valueNow('sum(millrace_consumer_lag{function="create-order"})')).toBe(0);
});
