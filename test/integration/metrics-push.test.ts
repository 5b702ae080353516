import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { UserServiceService } from '../../functions/gen/millrace/users/v1/users.ts';
import { openBus } from '../../functions/runtime/bus.ts';
import { consume } from '../../functions/runtime/consume.ts';
import { AppError, unavailable } from '../../functions/runtime/errors.ts';
import { openGuard } from '../../functions/runtime/guard.ts';
import { count, pushMetrics, setGauge } from '../../functions/runtime/metrics.ts';
import { freePort } from '../../scripts/local/ports.ts';
import { startBackends } from '../support/backends.ts';
import { startFunction } from '../support/functions.ts';
import { keepingLog } from '../support/keeping-log.ts';
import { testShell } from '../support/shell.ts';
import { until } from '../support/until.ts';

type Point = { attributes: { key: string; value: { stringValue: string } }[]; asDouble: number; timeUnixNano: string };
type Metric = {
  name: string;
  gauge?: { dataPoints: Point[] };
  sum?: { dataPoints: Point[]; aggregationTemporality: number; isMonotonic: boolean };
};
type Pushed = {
  readonly request: IncomingMessage;
  readonly resource: Record<string, string>;
  readonly metrics: Metric[];
};

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const plain = (attributes: Point['attributes']): Record<string, string> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));

/** What a collector receives; it answers with `status`. */
async function startCollector(status = 200): Promise<{ url: string; pushed: Pushed[] }> {
  const pushed: Pushed[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { resource, scopeMetrics } = JSON.parse(Buffer.concat(chunks).toString()).resourceMetrics[0];
    pushed.push({ request, resource: plain(resource.attributes), metrics: scopeMetrics[0].metrics });
    response.writeHead(status).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { url: `http://127.0.0.1:${Object(server.address()).port}`, pushed };
}

/** Starts to push, as a function does; `drain` is its end. */
function pushing(endpoint: string | undefined, everyMs?: number) {
  const { shell, close } = testShell({}, endpoint ? { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } : {});
  const { log, lines } = keepingLog();
  pushMetrics({ ...shell, name: 'some-function', log }, everyMs);
  return { drain: close, lines };
}

const pointOf = ({ metrics }: Pushed, name: string, attributes: Record<string, string>): Point | undefined => {
  const metric = metrics.find((each) => each.name === name);
  const points = metric?.sum?.dataPoints ?? metric?.gauge?.dataPoints ?? [];
  return points.find((point) => JSON.stringify(plain(point.attributes)) === JSON.stringify(attributes));
};

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
  expect(points).toHaveLength(101);
  expect(points.reduce((sum, { asDouble }) => sum + asDouble, 0)).toBe(500);
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
  const guard = openGuard({ log }, { name: 'thing', retries: 0, halfOpenAfterMs: 30 });
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
});

test('a function tells how its messages end, by type, those that it does not take together', async () => {
  const { url, pushed } = await startCollector();
  const backends = await startBackends();
  closers.push(() => backends.stop());
  const { shell, close } = testShell({ NATS_URL: backends.natsUrl });
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
});
