import { randomUUID } from 'node:crypto';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { UserServiceService } from '../../functions/gen/millrace/users/v1/users.ts';
import { openCallPolicy } from '../../functions/runtime/call-policy.ts';
import { AppError, unavailable } from '../../functions/runtime/errors.ts';
import { consume } from '../../functions/runtime/handling/consume.ts';
import { natsSettings, openBus } from '../../functions/runtime/jetstream/connection.ts';
import { count, pushMetrics, record, setGauge } from '../../functions/runtime/metrics.ts';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { startBackends } from '../support/backends.ts';
import {
  type Collector,
  startCollector as openCollector,
  type Pushed,
  plain,
  pointOf,
  pointsOf,
} from '../support/collector.ts';
import { startFunction } from '../support/functions.ts';
import { keepingLog } from '../support/keeping-log.ts';
import { testShell } from '../support/shell.ts';
import { until } from '../support/until.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startCollector(status?: number): Promise<Collector> {
  const collector = await openCollector(status);
  closers.push(collector.close);
  return collector;
}

/** Starts to push, as a function does; `drain` is its end. */
function pushing(endpoint: string | undefined, everyMs?: number) {
  const { shell, close } = testShell({}, endpoint ? { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } : {});
  const { log, lines } = keepingLog();
  pushMetrics({ ...shell, name: 'some-function', log }, everyMs);
  return { drain: close, lines };
}

const TRACE = '0123456789abcdef0123456789abcdef';

test('at the end what was counted is pushed as OTLP/JSON, and says who counted', async () => {
  const { url, pushed } = await startCollector();
  const { drain } = pushing(`${url}/`);
  count('test.calls', { code: 'ok' });
  count('test.calls', { code: 'ok' }, 2);
  setGauge('test.state', { target: 'users' }, 2);
  setGauge('test.state', { target: 'users' }, 1);
  await drain();
  expect(pushed).toHaveLength(1);
  const [only] = pushed as [Pushed];
  expect([only.request.method, only.request.url]).toEqual(['POST', '/v1/metrics']);
  expect(only.request.headers['content-type']).toBe('application/json');
  expect(only.resource).toEqual({
    'service.name': 'some-function',
    'service.namespace': 'millrace',
    'service.instance.id': expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect(only.metrics.find(({ name }) => name === 'test.calls')).toMatchObject({
    sum: { aggregationTemporality: 2, isMonotonic: true },
  });
  expect(pointOf(only, 'test.calls', { code: 'ok' })).toMatchObject({
    asDouble: 3,
    timeUnixNano: expect.stringMatching(/^\d{19}$/),
  });
  expect(pointOf(only, 'test.state', { target: 'users' })?.asDouble).toBe(1);
});

test('a counter begins with a zero before its first value, once, and a gauge does not', async () => {
  const { url, pushed } = await startCollector();
  const { drain } = pushing(url, 20);
  count('test.new', {}, 3);
  setGauge('test.level', {}, 3);
  await until('two pushes', () => pushed.length >= 2);
  await drain();
  const [first, second] = pushed as [Pushed, Pushed];
  const [zero, value] = pointsOf(first, 'test.new', {});
  expect([zero?.asDouble, value?.asDouble]).toEqual([0, 3]);
  expect(Number(zero?.timeUnixNano)).toBeLessThan(Number(value?.timeUnixNano));
  expect(pointsOf(second, 'test.new', {})).toHaveLength(1);
  expect(pointsOf(first, 'test.level', {})).toHaveLength(1);
});

test('a collector that did not take the zero is told of it again', async () => {
  const away = await startCollector(503);
  count('test.untold', {});
  await pushing(away.url).drain();
  const { url, pushed } = await startCollector();
  await pushing(url).drain();
  expect(pointsOf(pushed[0] as Pushed, 'test.untold', {})).toHaveLength(2);
});

test('a histogram counts samples by bucket, all of them since the start, and is in seconds', async () => {
  const { url, pushed } = await startCollector();
  for (const seconds of [0.003, 0.005, 0.2, 7_200, -1]) record('test.took', { type: 'a' }, seconds);
  record('test.took', { type: 'a' }, Number.NaN);
  await pushing(url).drain();
  record('test.took', { type: 'a' }, 0.2);
  await pushing(url).drain();
  const metric = pushed.at(-1)?.metrics.find(({ name }) => name === 'test.took');
  expect([metric?.unit, metric?.histogram?.aggregationTemporality]).toEqual(['s', 2]);
  const point = pointOf(pushed.at(-1) as Pushed, 'test.took', { type: 'a' });
  const { explicitBounds = [], bucketCounts = [] } = point ?? {};
  const counted = bucketCounts.map((samples, index) => [explicitBounds[index], samples]);
  expect(counted.filter(([, samples]) => samples !== '0')).toEqual([
    [0.005, '3'],
    [0.25, '2'],
    [undefined, '1'],
  ]);
  expect(point?.count).toBe('6');
  expect(point?.sum).toBeCloseTo(7_200.408);
});

test('a bucket has the trace of its latest sample, and tells it once', async () => {
  const { url, pushed } = await startCollector();
  record('test.traced', {}, 0.02, 'f'.repeat(32));
  record('test.traced', {}, 0.021, TRACE);
  record('test.traced', {}, 0.022);
  record('test.traced', {}, 30, 'e'.repeat(32));
  await pushing(url).drain();
  await pushing(url).drain();
  const exemplarsOf = (index: number) => pointOf(pushed[index] as Pushed, 'test.traced', {})?.exemplars;
  expect(exemplarsOf(0)).toMatchObject([
    { asDouble: 0.021, traceId: TRACE, timeUnixNano: expect.stringMatching(/^\d{19}$/) },
    { asDouble: 30, traceId: 'e'.repeat(32) },
  ]);
  expect(exemplarsOf(1)).toEqual([]);
});

test('while it runs it pushes again and again', async () => {
  const { url, pushed } = await startCollector();
  const { drain } = pushing(url, 20);
  count('test.calls', { code: 'ok' });
  await until('two pushes', () => pushed.length >= 2);
  await drain();
});

test('without an endpoint nothing is sent, and nothing said', async () => {
  const { drain, lines } = pushing(undefined);
  await drain();
  expect(lines).toEqual([]);
});

test('attributes of too many values are counted together', async () => {
  const { url, pushed } = await startCollector();
  const { drain } = pushing(url);
  for (let id = 0; id < 500; id += 1) count('test.wild', { id: `${id}` });
  await drain();
  const points = pushed[0]?.metrics.find(({ name }) => name === 'test.wild')?.sum?.dataPoints ?? [];
  expect(new Set(points.map(({ attributes }) => JSON.stringify(attributes))).size).toBe(101);
  expect(points.reduce((sum, { asDouble = 0 }) => sum + asDouble, 0)).toBe(500);
  expect(plain(points.at(-1)?.attributes ?? [])).toEqual({ 'otel.metric.overflow': 'true' });
});

const silent = async (): Promise<string> => {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => void sockets.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${Object(server.address()).port}`;
};

test.each([
  ['that is not there', async () => `http://127.0.0.1:${await freePort()}`],
  ['that refuses', async () => (await startCollector(503)).url],
  ['that never answers', silent],
])('a collector %s disturbs nobody and is told of once', async (_what, endpointOf) => {
  count('test.calls', { code: 'ok' });
  const { drain, lines } = pushing(await endpointOf(), 20);
  await until('a push to fail', () => lines.length > 0);
  await drain();
  expect(lines).toMatchObject([{ level: 'warn', message: 'metrics cannot be pushed and are dropped' }]);
});

test('a breaker tells its state, its trips and whom it turned away', async () => {
  const { url, pushed } = await startCollector();
  const { log } = keepingLog();
  const guard = openCallPolicy({ log }, { name: 'thing', retries: 0, halfOpenAfterMs: 30 });
  const fail = () =>
    guard.run(() => Promise.reject(unavailable('thing-unavailable', 'It does not answer'))).catch(() => undefined);
  const valueAtEnd = async (name: string, more = {}): Promise<number | undefined> => {
    await pushing(url).drain();
    return pointOf(pushed.at(-1) as Pushed, `millrace.breaker.${name}`, { target: 'thing', ...more })?.asDouble;
  };
  await guard.run(async () => 'done');
  expect(await valueAtEnd('state')).toBe(0);
  for (let failures = 0; failures < 7; failures += 1) await fail();
  expect(await valueAtEnd('state')).toBe(2);
  expect(await valueAtEnd('trips')).toBe(1);
  expect(await valueAtEnd('rejections', { why: 'open' })).toBe(2);
  const end = Promise.withResolvers<string>();
  const tried = until('a call to be let through', () => guard.run(() => end.promise));
  await until('the breaker to be half open', async () => (await valueAtEnd('state')) === 1);
  end.resolve('done');
  await tried;
  expect(await valueAtEnd('state')).toBe(0);
});

test('a function pushes what it counted when it drains, however short its life', async () => {
  const { url, pushed } = await startCollector();
  const backends = await startBackends();
  closers.push(() => backends.stop());
  const api = await startFunction('commands-api', backends, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } });
  const { status } = await fetch(`${api.url}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery' }),
  });
  expect(status).toBe(503);
  await api.stop();
  const last = pushed.at(-1) as Pushed;
  expect(last.resource['service.name']).toBe('commands-api');
  const calls = { target: 'users', method: UserServiceService.authenticate.path, code: 'unavailable' };
  expect(pointOf(last, 'millrace.rpc.calls', calls)?.asDouble).toBe(1);
  expect(pointOf(last, 'millrace.breaker.state', { target: 'users' })?.asDouble).toBe(0);
  const requests = { method: 'POST', route: '/v1/sessions', status: '5xx' };
  expect(pointOf(last, 'millrace.http.request', requests)).toMatchObject({ count: '1', exemplars: [{}] });
  expect(pointOf(last, 'millrace.cold_start', {})?.count).toBe('1');
  expect(pointOf(last, 'millrace.cold_start', {})?.sum).toBeGreaterThan(0);
});

test('a function tells how its messages end, by type, those that it does not take together', async () => {
  const { url, pushed } = await startCollector();
  const backends = await startBackends();
  closers.push(() => backends.stop());
  const { shell, close } = testShell(natsSettings, { NATS_URL: backends.natsUrl });
  closers.push(close);
  const errors: Record<string, AppError[]> = {
    bad: [new AppError('invalid', 'planted', 'never')],
    refused: [new AppError('refused', 'planted', 'no')],
    soon: [new AppError('unavailable', 'planted', 'soon', { retryAfterMs: 1 })],
    late: [new AppError('unavailable', 'planted', 'late', { retryAfterMs: 600_000 })],
  };
  const room = { inFlight: 8, batch: 1, concurrency: 1 };
  const options = { stream: 'ORDERS', consumer: 'order-view', types: ['order.created'], ...room };
  const running = consume(shell, await openBus(shell), options, async ([incoming]) => {
    const { key } = (incoming?.data ?? {}) as { key: string };
    const error = errors[key]?.pop();
    if (error) throw error;
  });
  closers.push(() => running.drain());
  const publish = (type: string, key: string) =>
    backends.bus.publish(`order.1.${type}`, JSON.stringify({ key }), {}, randomUUID());
  for (const key of ['good', 'bad', 'refused', 'soon', 'late']) await publish('created', key);
  await publish('paid', 'good');
  await until('all to be ended', async () => (await backends.lag('ORDERS', 'order-view')) === 0);
  await pushing(url).drain();
  const counted = (end: string, more: object = {}) =>
    pointOf(pushed.at(-1) as Pushed, `millrace.messages.${end}`, { type: 'order.created', ...more })?.asDouble;
  expect(counted('handled')).toBe(3);
  expect(counted('handled', { type: 'other' })).toBe(1);
  expect(counted('retried', { how: 'nak' })).toBe(1);
  expect(counted('retried', { how: 'parked' })).toBe(1);
  expect(counted('dead_lettered')).toBe(1);
  const failed = (code: string) => counted('failed', { code });
  expect([failed('invalid'), failed('refused'), failed('unavailable')]).toEqual([1, 1, 2]);
});

test('a function tells how long messages waited, were handled and took to have their effect, in which traces', async () => {
  const { url, pushed } = await startCollector();
  const backends = await startBackends();
  closers.push(() => backends.stop());
  const { shell, close } = testShell(natsSettings, { NATS_URL: backends.natsUrl });
  closers.push(close);
  const room = { inFlight: 8, batch: 8, concurrency: 1 };
  const options = { stream: 'ORDERS', consumer: 'order-view', types: ['order.shipped'], ...room };
  const hourAgo = new Date(Date.now() - 3_000_000).toISOString();
  const headers = { 'ce-time': hourAgo, traceparent: `00-${TRACE}-0123456789abcdef-01` };
  for (const order of [1, 2]) await backends.bus.publish(`order.${order}.shipped`, '{}', headers, randomUUID());
  const failures = [unavailable('planted', 'not yet')];
  const running = consume(shell, await openBus(shell), options, async () => {
    const error = failures.pop();
    if (error) throw error;
  });
  closers.push(() => running.drain());
  await until('both to be handled', async () => (await backends.lag('ORDERS', 'order-view')) === 0);
  await pushing(url).drain();
  const timed = (what: string) =>
    pointOf(pushed.at(-1) as Pushed, `millrace.message.${what}`, { type: 'order.shipped' });
  const traced = expect.objectContaining({ traceId: TRACE });
  expect(timed('wait')).toMatchObject({ count: '2', exemplars: expect.arrayContaining([traced]) });
  expect(Number(timed('handle')?.count)).toBeGreaterThanOrEqual(3);
  expect(timed('effect')).toMatchObject({ count: '2', exemplars: expect.arrayContaining([traced]) });
  expect(timed('effect')?.sum).toBeGreaterThan(5_900);
  expect(timed('wait')?.sum).toBeLessThan(3_000);
});

test('outbox-relay tells how much is stored and not published, and since when', async () => {
  const { url, pushed } = await startCollector();
  const backends = await startBackends();
  closers.push(() => backends.stop());
  const store = (id: string, minutes: number) =>
    backends.database.query(
      `insert into outbox (event_id, subject, headers, data, created_at)
       values ($1, 'order.1.paid', '{}', '{}', now() - $2 * interval '1 minute')`,
      [id, minutes],
    );
  await store('young', -60);
  await store('younger', -90);
  const relay = await startFunction('outbox-relay', backends, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } });
  await relay.stop();
  const gauge = (name: string) => pointOf(pushed.at(-1) as Pushed, `millrace.outbox.${name}`, {})?.asDouble;
  expect(gauge('depth')).toBe(2);
  await backends.database.query(`update outbox set created_at = now() - interval '10 minutes'`);
  const again = await startFunction('outbox-relay', backends, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } });
  await until(
    'the outbox to be empty',
    async () => (await backends.database.query('select from outbox')).rowCount === 0,
  );
  await again.stop();
  expect([gauge('depth'), gauge('oldest_seconds')]).toEqual([0, 0]);
});
