import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import type { Definition } from '../../functions/runtime/function.ts';
import { RETRIES_IN_FLIGHT } from '../../functions/runtime/handling/consume.ts';
import { WORKING_EVERY_MS } from '../../functions/runtime/handling/consumer-loop.ts';
import { RETRIES, retriesOf, retrySubject } from '../../functions/runtime/handling/retries.ts';
import { clientAddress, readProxies } from '../../functions/runtime/http/client-address.ts';
import { EXPIRES_MS } from '../../functions/runtime/jetstream/pull.ts';
import { filterOf } from '../../functions/runtime/messages/message.ts';
import { readSettings } from '../../functions/runtime/process/settings.ts';
import { setting } from '../../functions/runtime/settings.ts';
import { nanoseconds } from '../../scripts/manifests/go-duration.ts';
import { FUNCTIONS, readShopConsumers } from '../../scripts/manifests/jetstream-yaml.ts';
import { readRules } from '../../scripts/manifests/rules.ts';
import { readResources } from '../../scripts/manifests/yaml-file.ts';
import { listFunctions } from '../../scripts/registry/functions.ts';

const consumers = readShopConsumers();
const rules = readRules(FUNCTIONS, consumers);
const functions = await Promise.all(
  (await listFunctions()).map(async ({ name, source }) => {
    const { default: definition } = (await import(source)) as { default: Definition };
    return { name, ...definition };
  }),
);

const environment = z.array(z.object({ name: z.string(), value: z.string() }));
const serviceWithEnv = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({ containers: z.array(z.looseObject({ env: environment })) }),
    }),
  }),
});

const inFlightOf = (consumer: string): number =>
  functions.find(({ name }) => name === consumer)?.inFlight ??
  functions.find(({ name }) => retriesOf(name) === consumer)?.retriesInFlight ??
  RETRIES_IN_FLIGHT;

test('every function has a FUNCTIONS of manifests, and every such FUNCTIONS a function', () => {
  const names = functions.map(({ name }) => name);
  expect(names.length).toBeGreaterThanOrEqual(8);
  expect(
    readdirSync(FUNCTIONS, { withFileTypes: true })
      .filter((one) => one.isDirectory())
      .map(({ name }) => name)
      .sort(),
  ).toEqual(names);
  expect(rules.map(({ name }) => name).sort()).toEqual(names);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9-]{0,61}[a-z0-9]$/);
});

const fed = functions.filter(({ consumes }) => consumes.length > 0);

test('a function that consumes has two consumers, one of news and one of retries, and either wakes it', () => {
  const wanted = fed.flatMap(({ name }) => [name, retriesOf(name)]);
  expect(consumers.map(({ durableName }) => durableName).sort()).toEqual(wanted.sort());
  for (const { name } of fed) {
    const retries = consumers.find(({ durableName }) => durableName === retriesOf(name));
    expect(retries, name).toMatchObject({ streamName: RETRIES, filterSubjects: [retrySubject(name)] });
    const rule = rules.find((one) => one.name === name);
    const triggers = rule && 'triggers' in rule ? rule.triggers : [];
    expect(triggers.map((trigger) => 'consumer' in trigger && trigger.consumer)).toEqual([name, retriesOf(name)]);
  }
});

test('nobody else gets a message while its function says that it works on it', () => {
  for (const { durableName, ackWait } of consumers)
    expect(nanoseconds(ackWait) / 1e6, durableName).toBeGreaterThanOrEqual(2.5 * WORKING_EVERY_MS);
});

test('a consumer gets just the messages that its function handles', () => {
  for (const { name, consumes } of fed) {
    const consumer = consumers.find(({ durableName }) => durableName === name);
    expect([...(consumer?.filterSubjects ?? [])].sort(), name).toEqual(consumes.map(filterOf).sort());
  }
});

test('a consumer lets all replicas work at full load, and a rule wakes at the first message', () => {
  for (const rule of rules) {
    if (!('triggers' in rule)) continue;
    for (const trigger of rule.triggers) {
      if (!('consumer' in trigger)) continue;
      const inFlight = inFlightOf(trigger.consumer);
      const consumer = consumers.find(({ durableName }) => durableName === trigger.consumer);
      expect(trigger.activationLagThreshold, rule.name).toBe(0);
      expect(trigger.lagThreshold, rule.name).toBeGreaterThan(inFlight);
      expect(consumer?.maxAckPending ?? 0, rule.name).toBeGreaterThanOrEqual(rule.max * inFlight);
    }
  }
});

test.each(['commands-api', 'queries-api', 'event-ingress'])(
  '%s knows the client behind the proxies of a cluster',
  (name) => {
    const [service] = readResources(path.join(FUNCTIONS, name, 'service.yaml'), serviceWithEnv);
    const env = service?.spec.template.spec.containers[0]?.env ?? [];
    const { TRUSTED_PROXIES } = readSettings(
      { TRUSTED_PROXIES: setting('', readProxies, '') },
      Object.fromEntries(env.map(({ name, value }) => [name, value])),
    );
    const forwardedFor = '203.0.113.9, 198.51.100.1, 10.1.0.7, 172.16.3.4';
    for (const queueProxy of ['127.0.0.1', '::ffff:127.0.0.1'])
      expect(clientAddress(forwardedFor, queueProxy, TRUSTED_PROXIES)).toBe('198.51.100.1');
  },
);

test('a consumer allows the pull requests that functions make', () => {
  for (const consumer of consumers) {
    const inFlight = inFlightOf(consumer.durableName);
    expect(nanoseconds(consumer.maxRequestExpires ?? '1h') / 1e6, consumer.durableName).toBeGreaterThanOrEqual(
      EXPIRES_MS,
    );
    expect(consumer.maxRequestBatch ?? Number.POSITIVE_INFINITY, consumer.durableName).toBeGreaterThanOrEqual(inFlight);
  }
});
