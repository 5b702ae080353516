import { beforeAll, describe, expect, test } from 'vitest';
import { factsOf } from '../../scripts/operate/scale/lint/facts.ts';
import { lint, RULES } from '../../scripts/operate/scale/lint/rules.ts';
import { readDefinitions } from '../../scripts/registry/functions.ts';
import type { KubernetesObject } from '../support/kubernetes-schemas.ts';
import { buildOverlays, OVERLAYS } from '../support/overlays.ts';

const definitions = await readDefinitions();
let built: Awaited<ReturnType<typeof buildOverlays>>;
beforeAll(async () => {
  built = await buildOverlays();
}, 120_000);

// biome-ignore lint/suspicious/noExplicitAny: a fault may be planted anywhere.
type Open = any;
type Fault = {
  readonly rule: string;
  readonly what: string;
  readonly handlers?: Record<string, number>;
  readonly jwt?: boolean;
  plant?(objects: KubernetesObject[]): void;
};

const object = (objects: readonly KubernetesObject[], kind: string, name: string): Open => {
  const found = objects.find((one) => one.kind === kind && one.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
};
const trigger = (objects: readonly KubernetesObject[], index = 0): Open =>
  object(objects, 'ScaledObject', 'order-view').spec.triggers[index].metadata;
const monitoring = (objects: readonly KubernetesObject[]): Record<string, string> =>
  object(objects, 'ConfigMap', 'nats-monitoring').data;

const FAULTS: readonly Fault[] = [
  {
    rule: 'activation-above-zero',
    what: 'an activation of 5',
    plant: (all) => Object.assign(trigger(all), { activationLagThreshold: '5' }),
  },
  {
    rule: 'activation-above-zero',
    what: 'an activation of rows',
    plant: (all) =>
      Object.assign(object(all, 'ScaledObject', 'outbox-relay').spec.triggers[0].metadata, {
        activationTargetQueryValue: '1',
      }),
  },
  {
    rule: 'threshold-too-low',
    what: 'a threshold of what one replica has in work',
    plant: (all) => Object.assign(trigger(all), { lagThreshold: '256' }),
  },
  {
    rule: 'threshold-too-low',
    what: 'the same for retries',
    plant: (all) => Object.assign(trigger(all, 1), { lagThreshold: '8' }),
  },
  {
    rule: 'ack-pending-caps',
    what: 'a maxAckPending for one replica less than there may be',
    plant: (all) => Object.assign(object(all, 'Consumer', 'order-view').spec, { maxAckPending: 1_023 }),
  },
  {
    rule: 'ack-wait-too-short',
    what: 'an ackWait shorter than the signs of life',
    plant: (all) => Object.assign(object(all, 'Consumer', 'order-view').spec, { ackWait: '20s' }),
  },
  {
    rule: 'ack-wait-too-short',
    what: 'no ackWait, which NACK takes for 1 ns',
    plant: (all) => delete object(all, 'Consumer', 'order-view').spec.ackWait,
  },
  {
    rule: 'cooldown-too-short',
    what: 'a handler that takes longer than the cooldown',
    handlers: { 'order-view': 121 },
  },
  {
    rule: 'cooldown-too-short',
    what: 'a cooldown between two polls',
    plant: (all) => Object.assign(object(all, 'ScaledObject', 'order-view').spec, { cooldownPeriod: 5 }),
  },
  {
    rule: 'grace-too-short',
    what: 'a grace of the drain alone',
    plant: (all) =>
      Object.assign(object(all, 'Deployment', 'order-view').spec.template.spec, { terminationGracePeriodSeconds: 25 }),
  },
  {
    rule: 'grace-too-short',
    what: 'a longer drain in the settings of one function',
    plant: (all) =>
      Object.assign(object(all, 'Deployment', 'order-view').spec.template.spec.containers[0], {
        env: [{ name: 'DRAIN_SECONDS', value: '60' }],
      }),
  },
  {
    rule: 'http-grace-too-short',
    what: 'a Knative Service that ends too soon',
    plant: (all) => {
      const service = all.find(({ apiVersion }) => apiVersion.startsWith('serving.knative.dev')) as Open;
      service.spec.template.spec.timeoutSeconds = 30;
    },
  },
  {
    rule: 'missing-consumer',
    what: 'a trigger for a consumer that is not there',
    plant: (all) =>
      object(all, 'ScaledObject', 'order-view').spec.triggers.push({
        ...object(all, 'ScaledObject', 'order-view').spec.triggers[0],
        metadata: { ...trigger(all), consumer: 'order-vew' },
      }),
  },
  {
    rule: 'missing-stream',
    what: 'a consumer of a stream that is not there',
    plant: (all) => {
      object(all, 'Consumer', 'order-view').spec.streamName = 'ORDER';
      trigger(all).stream = 'ORDER';
    },
  },
  {
    rule: 'unwatched-consumer',
    what: 'retries that wake nobody',
    plant: (all) => object(all, 'ScaledObject', 'order-view').spec.triggers.pop(),
  },
  {
    rule: 'wrong-endpoint',
    what: 'an address that reaches one server of three',
    plant: (all) => Object.assign(monitoring(all), { endpoint: 'nats.nats.svc.cluster.local:8222' }),
  },
  {
    rule: 'wrong-endpoint',
    what: 'the port of clients',
    plant: (all) => Object.assign(monitoring(all), { endpoint: 'nats-headless.nats.svc.cluster.local:4222' }),
  },
  {
    rule: 'wrong-endpoint',
    what: 'an address with a scheme',
    plant: (all) => Object.assign(monitoring(all), { endpoint: 'http://nats-headless.nats.svc.cluster.local:8222' }),
  },
  {
    rule: 'wrong-endpoint',
    what: 'no address at all',
    plant: (all) => object(all, 'TriggerAuthentication', 'nats-monitoring').spec.configMapTargetRef.shift(),
  },
  {
    rule: 'no-fallback',
    what: 'no fallback',
    plant: (all) => delete object(all, 'ScaledObject', 'order-view').spec.fallback,
  },
  { rule: 'account-by-name', what: 'a name where accounts have keys', jwt: true },
  {
    rule: 'account-by-name',
    what: 'the same, known by the credentials of NACK',
    plant: (all) =>
      all.push({
        apiVersion: 'jetstream.nats.io/v1beta2',
        kind: 'Account',
        metadata: { name: 'shop' },
        spec: { servers: ['nats://nats:4222'], creds: { secret: { name: 'nack' }, file: 'shop.creds' } },
      }),
  },
  {
    rule: 'polls-overload',
    what: 'four shops that poll every second',
    plant: (all) => {
      const scaled = all.filter(({ kind }) => kind === 'ScaledObject' || kind === 'Consumer');
      for (const one of scaled) if (one.kind === 'ScaledObject') (one as Open).spec.pollingInterval = 1;
      for (const copy of ['a', 'b', 'c'])
        for (const one of scaled) {
          const twin = structuredClone(one) as Open;
          twin.metadata.name = `${copy}-${one.metadata.name}`;
          if (one.kind === 'Consumer') twin.spec.durableName = `${copy}-${twin.spec.durableName}`;
          else
            for (const { metadata } of twin.spec.triggers)
              if (metadata.consumer) metadata.consumer = `${copy}-${metadata.consumer}`;
          if (twin.spec.triggers) for (const { metadata } of twin.spec.triggers) metadata.lagThreshold &&= '512';
          all.push(twin);
        }
    },
  },
  { rule: 'handler-too-long', what: 'a handler that somebody else takes over', handlers: { 'create-order': 301 } },
];

test.each(OVERLAYS)('scale lint finds nothing in overlay %s', (overlay) => {
  expect(lint(factsOf(built[overlay], definitions))).toEqual([]);
});

describe('scale lint finds, in a copy of production,', () => {
  test.each(FAULTS.map((fault) => [fault.what, fault] as const))('%s', (_, { rule, plant, handlers = {}, jwt }) => {
    const objects = structuredClone(built.production) as KubernetesObject[];
    plant?.(objects);
    const found = lint(factsOf(objects, definitions, handlers, jwt));
    const alsoSaid = rule === 'handler-too-long' ? ['cooldown-too-short'] : [];
    expect(found.map((one) => one.rule).filter((one) => !alsoSaid.includes(one))).toEqual([rule]);
    const [{ reason, fix, file } = { reason: '', fix: '', file: '' }] = found.filter((one) => one.rule === rule);
    expect([reason.length > 20, fix.length > 5, file]).toEqual([true, true, expect.stringMatching(/\.(yaml|ts)$/)]);
  });

  test('each fault that it knows of', () => {
    expect([...new Set(FAULTS.map(({ rule }) => rule))].sort()).toEqual(Object.keys(RULES).sort());
  });
});

test('an account by its key is right where accounts have keys', () => {
  const objects = structuredClone(built.production) as KubernetesObject[];
  Object.assign(monitoring(objects), { account: `A${'B2C3'.repeat(13)}DEF` });
  expect(lint(factsOf(objects, definitions, {}, true))).toEqual([]);
});

test('an object that is not as it must be is named', () => {
  const objects = structuredClone(built.production) as KubernetesObject[];
  object(objects, 'ScaledObject', 'order-view').spec.pollingInterval = 'often';
  expect(() => factsOf(objects, definitions)).toThrow(/ScaledObject order-view is not valid: pollingInterval/);
});
