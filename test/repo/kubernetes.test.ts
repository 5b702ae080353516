import { beforeAll, describe, expect, test } from 'vitest';
import { KINDS } from '../../scripts/ship/affected/command.ts';
import { at, kindOf } from '../support/kubernetes-objects.ts';
import { faultsOf, type KubernetesObject } from '../support/kubernetes-schemas.ts';
import { build } from '../support/kustomize.ts';
import { buildOverlays, isWorkload, NAME, names, OVERLAYS } from '../support/overlays.ts';

let built: Awaited<ReturnType<typeof buildOverlays>>;
const alone = new Map<string, readonly KubernetesObject[]>();
beforeAll(async () => {
  built = await buildOverlays();
  await Promise.all(names.map(async (name) => alone.set(name, await build(`knative/functions/${name}`))));
}, 120_000);

describe.each(OVERLAYS)('overlay %s', (overlay) => {
  test('has every object as its real schema wants it', () => {
    expect(built[overlay].flatMap(faultsOf)).toEqual([]);
  });

  test('has no two objects of the same kind and name', () => {
    const ids = built[overlay].map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  test('runs every function, with an image of its own', () => {
    const images = built[overlay].filter(isWorkload).map(({ metadata, spec }) => {
      const [{ image }] = spec.template.spec.containers;
      return [metadata.name, image.replace(/^.*\//, '').replace(/[:@].*$/, '')];
    });
    expect(Object.fromEntries(images)).toEqual(Object.fromEntries(names.map((name) => [name, name])));
    for (const workload of built[overlay].filter(isWorkload)) {
      const wanted = overlay === 'production' ? /@sha256:[0-9a-f]{64}$/ : /:local$/;
      expect(workload.spec.template.spec.containers[0].image).toMatch(wanted);
    }
  });

  test('deploys one function alone by its label: all that it consists of and nothing else', () => {
    const listed = (objects: readonly KubernetesObject[]) =>
      objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
    for (const name of names) {
      const labelled = built[overlay].filter(({ metadata }) => metadata.labels?.[NAME] === name);
      expect(listed(labelled), name).toEqual(listed(alone.get(name) ?? []));
    }
  });

  test('puts everything into one namespace and gives everything its label', () => {
    for (const { kind, metadata } of built[overlay]) {
      if (kind !== 'Namespace') expect(metadata.namespace, metadata.name).toBe('millrace');
      expect([...names, 'platform', 'streams'], `${kind} ${metadata.name}`).toContain(metadata.labels?.[NAME]);
    }
  });

  test('selects by the names of the functions', () => {
    const objects = built[overlay];
    for (const { metadata, spec } of objects.filter(isWorkload)) {
      const { name } = metadata;
      expect(spec.template.metadata.labels[NAME]).toBe(name);
      expect(spec.template.spec.serviceAccountName).toBe(name);
      expect(spec.template.spec.volumes.flatMap(({ secret }) => secret?.secretName ?? [])).toEqual([name]);
      const named = objects.filter((one) => one.metadata.name === name);
      expect(named.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(['ServiceAccount', 'PodDisruptionBudget', 'NetworkPolicy']),
      );
      const selectors: Readonly<Record<string, readonly string[]>> = {
        PodDisruptionBudget: ['spec', 'selector', 'matchLabels', NAME],
        NetworkPolicy: ['spec', 'podSelector', 'matchLabels', NAME],
        ScaledObject: ['spec', 'scaleTargetRef', 'name'],
        HorizontalPodAutoscaler: ['spec', 'scaleTargetRef', 'name'],
        Deployment: ['spec', 'selector', 'matchLabels', NAME],
      };
      for (const one of named) {
        const selector = selectors[one.kind];
        if (selector) expect(at(one, ...selector), `${one.kind} ${name}`).toBe(name);
        if (one.kind === 'Service' && one.apiVersion === 'v1') expect(at(one, 'spec', 'selector', NAME)).toBe(name);
        const spread = at(one, 'spec', 'template', 'spec', 'topologySpreadConstraints') as object[] | undefined;
        for (const constraint of spread ?? []) expect(at(constraint, 'labelSelector', 'matchLabels', NAME)).toBe(name);
      }
    }
  });

  test('refers only to what is there: ConfigMaps, scaler authentications, streams', () => {
    const objects = built[overlay];
    const there = (kind: string) => kindOf(objects, kind).map(({ metadata }) => metadata.name);
    for (const { metadata, spec } of objects.filter(isWorkload))
      for (const { configMapRef } of spec.template.spec.containers[0].envFrom)
        expect(there('ConfigMap'), metadata.name).toContain(configMapRef.name);
    for (const scaled of kindOf(objects, 'ScaledObject'))
      for (const trigger of at(scaled, 'spec', 'triggers') as object[])
        expect(there('TriggerAuthentication')).toContain(at(trigger, 'authenticationRef', 'name'));
    const streams = kindOf(objects, 'Stream').map((stream) => at(stream, 'spec', 'name'));
    for (const consumer of kindOf(objects, 'Consumer')) expect(streams).toContain(at(consumer, 'spec', 'streamName'));
  });

  test('has no kind of object that would stay when a function is deleted as millrace affected says', () => {
    for (const { apiVersion, kind, metadata } of built[overlay]) {
      if (!names.includes(metadata.labels?.[NAME] ?? '')) continue;
      const [group, version] = apiVersion.split('/');
      const plural = `${kind.toLowerCase()}s`.replace(/ys$/, 'ies');
      expect(KINDS, metadata.name).toContain(version ? `${plural}.${group}` : plural);
    }
  });
});

test('production keeps three copies of every stream and consumer, and speaks TLS', () => {
  const objects = built.production;
  const kept = objects.filter(({ kind }) => kind === 'Stream' || kind === 'Consumer');
  expect(kept.length).toBeGreaterThan(30);
  for (const one of kept) expect(at(one, 'spec', 'replicas'), one.metadata.name).toBe(3);
  const settings = Object.assign({}, ...kindOf(objects, 'ConfigMap').map(({ data }) => data));
  expect(settings.NATS_URL).toMatch(/^tls:/);
  for (const setting of ['GRPC_TLS_CERT_FILE', 'GRPC_TLS_KEY_FILE', 'GRPC_TLS_CA_FILE', 'NATS_SEED_FILE'])
    expect(settings[setting], setting).toContain('/var/run/secrets/millrace/');
});

test('a schema refuses a field that it does not know, a wrong type and what is missing', () => {
  const objects = structuredClone(built.production) as KubernetesObject[];
  const faulty = (kind: string, fault: (spec: Record<string, unknown>) => void): string[] => {
    const object = structuredClone(objects.find((one) => one.kind === kind));
    if (!object) throw new Error(`there is no ${kind}`);
    expect(faultsOf(object)).toEqual([]);
    fault(object.spec as Record<string, unknown>);
    return faultsOf(object);
  };
  for (const kind of ['Deployment', 'ScaledObject', 'Consumer', 'Stream', 'NetworkPolicy', 'TriggerAuthentication'])
    expect(faulty(kind, (spec) => Object.assign(spec, { planted: 1 })).join(), kind).toContain('planted');
  expect(faulty('Deployment', (spec) => Object.assign(spec, { revisionHistoryLimit: 'three' }))).toHaveLength(1);
  expect(faulty('Deployment', (spec) => delete spec.selector).join()).toContain('selector');
  expect(faulty('ScaledObject', (spec) => delete spec.triggers).join()).toContain('triggers');
  expect(faultsOf({ apiVersion: 'example/v1', kind: 'Mill', metadata: { name: 'one' } }).join()).toContain('no schema');
});
