import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Metrics, openMetrics } from '../../scripts/local/metrics.ts';
import { type Backends, startBackends } from '../support/backends.ts';
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
