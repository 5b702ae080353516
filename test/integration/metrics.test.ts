import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPlatformMetrics } from '../../scripts/platform/platform-metrics.ts';
import { type Metrics, openMetrics } from '../../scripts/platform/scaling/metrics.ts';
import type { FunctionState } from '../../scripts/platform/scaling/scaler.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { pointOf, startCollector } from '../support/collector.ts';
import { keepingLog } from '../support/keeping-log.ts';
import { exampleOrder, publishCreated } from '../support/orders.ts';
import { until } from '../support/until.ts';

let backends: Backends;
let metrics: Metrics;

beforeAll(async () => {
  backends = await startBackends();
  metrics = openMetrics(backends.natsMonitorUrl, backends.database);
});

afterAll(() => backends?.stop());

const trigger = (consumer: string) =>
  ({ type: 'nats-jetstream', stream: 'ORDERS', consumer, lagThreshold: 8, activationLagThreshold: 0 }) as const;

test('the lag is what waits and what is in work, as KEDA counts it', async () => {
  for (let index = 0; index < 5; index += 1) await publishCreated(backends.bus, exampleOrder());
  const lag = (metric: number, pending: number) =>
    until(`a lag of ${metric}`, async () => {
      const measured = await metrics.read(trigger('order-view'));
      return 'metric' in measured && measured.metric === metric && measured.pending === pending;
    });
  await lag(5, 5);
  const taken: { ack(): void }[] = [];
  const options = { stream: 'ORDERS', consumer: 'order-view', inFlight: 2 };
  const pull = backends.bus.pull(options, (message) => void taken.push(message));
  await until('two to be taken', () => taken.length === 2);
  await lag(5, 3);
  for (const message of taken) message.ack();
  await lag(3, 3);
  await pull.stop();
});

test('a consumer that is not there is a problem, and not a lag of 0', async () => {
  expect(await metrics.read(trigger('order-vew'))).toMatchObject({ problem: 'no consumer order-vew' });
});

test('the platform pushes the lag of a consumer, and for how long the oldest message has not been finished', async () => {
  const collector = await startCollector();
  const log = keepingLog();
  const limits = { min: 0, max: 4, pollingIntervalSeconds: 1, cooldownSeconds: 15, scaleDownStabilizationSeconds: 15 };
  const rules = [
    { scaledBy: 'keda', name: 'sales-view', ...limits, triggers: [trigger('sales-view')] },
    { scaledBy: 'keda', name: 'nobody', ...limits, triggers: [trigger('nobody')] },
  ] as const;
  const state = { name: 'sales-view', pids: [1, 2], problem: 'planted' } as unknown as FunctionState;
  const { bus } = backends;
  const measured = async () => {
    const options = { endpoint: collector.url, rules, states: () => [state], bus, log: log.log };
    await openPlatformMetrics(options).close();
    const at = (name: string, more: object) => {
      const last = collector.pushed.at(-1);
      return last && pointOf(last, `millrace.${name}`, { function: 'sales-view', ...more })?.asDouble;
    };
    const consumer = { consumer: 'sales-view' };
    return {
      lag: at('consumer.lag', consumer),
      oldest: at('consumer.oldest_pending_seconds', consumer),
      replicas: at('replicas', {}),
      failing: at('scaler.failing', {}),
    };
  };
  const before = await backends.lag('ORDERS', 'sales-view');
  await publishCreated(bus, exampleOrder());
  const first = Date.now();
  await publishCreated(bus, exampleOrder());
  await until('the oldest to be as old as its message', async () => {
    const { lag, oldest = 0 } = await measured();
    return lag === before + 2 && oldest > (Date.now() - first) / 1_000 - 0.5 && oldest > 0;
  });
  const pull = bus.pull({ stream: 'ORDERS', consumer: 'sales-view', inFlight: 16 }, (message) => message.ack());
  await until('nothing to be left', async () => (await measured()).lag === 0);
  expect(await measured()).toEqual({ lag: 0, oldest: 0, replicas: 2, failing: 1 });
  expect(log.lines[0]).toMatchObject({ message: 'lag cannot be measured' });
  await pull.stop();
  await collector.close();
});
