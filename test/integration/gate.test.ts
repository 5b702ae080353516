import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConsumerSpec } from '../../scripts/manifests/jetstream-yaml.ts';
import { applyJetstream, asBegun, consumerConfig } from '../../scripts/manifests/nack.ts';
import { declaredConsumers } from '../../scripts/manifests/rules.ts';
import { listFunctions } from '../../scripts/registry/functions.ts';
import { compareConsumers, findTests } from '../../scripts/ship/deploy/gate.ts';
import { type Backends, startBackends } from '../support/backends.ts';

let backends: Backends;
beforeAll(async () => {
  backends = await startBackends();
});
afterAll(() => backends.stop());

test('each function has tests to pass', async () => {
  for (const fn of await listFunctions()) expect(await findTests(fn), fn.name).not.toEqual([]);
});

const changed = (name: string, change: Partial<ConsumerSpec>): ConsumerSpec[] =>
  declaredConsumers(name)
    .slice(0, 1)
    .map((spec) => ({ ...spec, ...change }));

test('consumers as they are declared are no finding, whether they have one filter or several', async () => {
  for (const { name } of await listFunctions())
    expect(await compareConsumers(backends.bus.api, declaredConsumers(name)), name).toEqual([]);
  expect(declaredConsumers('create-order').map(({ durableName }) => durableName)).toEqual([
    'create-order',
    'create-order-retries',
  ]);
});

test('what the server lets be changed is told', async () => {
  expect(await compareConsumers(backends.bus.api, changed('order-view', { ackWait: '45s', maxAckPending: 7 }))).toEqual(
    [
      { consumer: 'order-view', says: 'ack_wait becomes 45000000000, and is 30000000000', possible: true },
      {
        consumer: 'order-view',
        says: expect.stringMatching(/^max_ack_pending becomes 7, and is \d+$/),
        possible: true,
      },
    ],
  );
});

test('what the server does not let be changed is refused, with what it is', async () => {
  expect(await compareConsumers(backends.bus.api, changed('order-view', { deliverPolicy: 'new' }))).toEqual([
    { consumer: 'order-view', says: 'deliver_policy cannot become "new", and is "all"', possible: false },
  ]);
});

test('filters in another order are the same filters, and other ones are a change', async () => {
  const [{ filterSubjects = [] } = {}] = declaredConsumers('order-view');
  const compare = (filters: string[]) =>
    compareConsumers(backends.bus.api, changed('order-view', { filterSubjects: filters }));
  expect(await compare([...filterSubjects].reverse())).toEqual([]);
  expect(await compare(filterSubjects.slice(1))).toMatchObject([{ possible: true }]);
});

test('one filter is the same, told alone or as a list', async () => {
  const [declared] = changed('order-view', { durableName: 'alone', filterSubjects: ['order.*.created'] });
  if (!declared) throw new Error('order-view has a consumer');
  const { filter_subjects: _, ...config } = consumerConfig(declared) as Record<string, unknown>;
  await backends.bus.api('CONSUMER.CREATE.ORDERS.alone.order.*.created', {
    stream_name: 'ORDERS',
    config: { ...config, filter_subject: 'order.*.created' },
  });
  expect(await compareConsumers(backends.bus.api, [declared])).toEqual([]);
});

test('a consumer that is not there will be made, unless its stream is not there', async () => {
  const [fresh] = await compareConsumers(backends.bus.api, changed('order-view', { durableName: 'fresh' }));
  expect(fresh).toMatchObject({ says: 'is not there yet; it will be made', possible: true });
  const [stray] = await compareConsumers(backends.bus.api, changed('order-view', { streamName: 'NOWHERE' }));
  expect(stray).toMatchObject({ says: expect.stringContaining('has no stream'), possible: false });
});

test.each<Partial<ConsumerSpec>>([
  { deliverPolicy: 'new' },
  { maxWaiting: 64 },
  { ackWait: '50s' },
  { maxDeliver: 7 },
  { maxAckPending: 9 },
  { filterSubjects: ['order.*.created'] },
  { maxRequestExpires: '45s' },
  { maxRequestBatch: 300 },
  { maxRequestMaxBytes: 4096 },
  { inactiveThreshold: '24h' },
  { headersOnly: true },
  { memStorage: true },
  { sampleFreq: '50' },
])('the server agrees whether %j is possible', async (change) => {
  const durableName = `probe-${Object.keys(change)[0]}`;
  const [declared] = changed('order-view', { durableName });
  if (!declared) throw new Error('order-view has a consumer');
  await applyJetstream(backends.bus.api, [], [declared]);
  const other = { ...declared, ...change };
  const findings = await compareConsumers(backends.bus.api, [other]);
  expect(findings).toHaveLength(1);
  const taken = await applyJetstream(backends.bus.api, [], [other]).then(
    () => true,
    () => false,
  );
  expect(taken).toBe(findings[0]?.possible);
  if (taken) expect(await compareConsumers(backends.bus.api, [other])).toEqual([]);
});

test('a local shop takes a consumer as it has begun, and a new one as it is declared', async () => {
  const [there, fresh] = ['begun', 'to-begin'].flatMap((durableName) => changed('order-view', { durableName }));
  if (!there || !fresh) throw new Error('order-view has a consumer');
  await applyJetstream(backends.bus.api, [], [there]);
  const wanted = [there, fresh].map((spec) => ({ ...spec, deliverPolicy: 'new' as const, maxDeliver: 7 }));
  const begun = await asBegun(backends.bus.api, wanted);
  expect(begun.map(({ deliverPolicy }) => deliverPolicy)).toEqual(['all', 'new']);
  await applyJetstream(backends.bus.api, [], begun);
  expect(await compareConsumers(backends.bus.api, begun)).toEqual([]);
});
