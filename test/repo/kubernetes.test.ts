import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { MAX_WAIT_SECONDS } from '../../functions/api/headers.ts';
import { SETTINGS } from '../../functions/runtime/config.ts';
import type { Definition } from '../../functions/runtime/function.ts';
import { KINDS } from '../../scripts/affected/command.ts';
import { listFunctions } from '../../scripts/build.ts';
import { repository } from '../../scripts/local/yaml-file.ts';
import { faultsOf, type KubernetesObject } from '../support/kubernetes-schemas.ts';
import { build } from '../support/kustomize.ts';

const OVERLAYS = ['production', 'local-cluster'];
const NAME = 'app.kubernetes.io/name';
/** Knative's queue-proxy holds SIGTERM back for so long. */
const QUEUE_PROXY_SECONDS = 30;
const SECRETS = '/var/run/secrets/millrace';

const functions = await listFunctions();
const names = functions.map(({ name }) => name);
const definitionOf = async (name: string): Promise<Definition> => {
  const source = functions.find((one) => one.name === name)?.source ?? '';
  return ((await import(source)) as { default: Definition }).default;
};
const overlays = new Map<string, readonly KubernetesObject[]>();
const alone = new Map<string, readonly KubernetesObject[]>();
beforeAll(async () => {
  await Promise.all(names.map(async (name) => alone.set(name, await build(`knative/functions/${name}`))));
  for (const overlay of OVERLAYS) overlays.set(overlay, await build(`knative/overlays/${overlay}`));
}, 120_000);
const objectsOf = (overlay: string): readonly KubernetesObject[] => overlays.get(overlay) ?? [];

type Container = {
  readonly name?: string;
  readonly image: string;
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly startupProbe?: object;
  readonly livenessProbe: object;
  readonly readinessProbe: object;
  readonly resources: { readonly limits: Readonly<Record<string, string>> };
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
};
type PodSpec = {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly terminationGracePeriodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
};
type Workload = KubernetesObject & {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: PodSpec;
    };
  };
};

const isWorkload = (object: KubernetesObject): object is Workload =>
  object.kind === 'Deployment' || object.apiVersion === 'serving.knative.dev/v1';

/** What a path of keys leads to. */
const at = (object: unknown, ...keys: readonly string[]): unknown =>
  keys.reduce((inner: unknown, key) => (inner as Record<string, unknown> | undefined)?.[key], object);

const kindOf = (objects: readonly KubernetesObject[], kind: string) => objects.filter((one) => one.kind === kind);

describe.each(OVERLAYS)('overlay %s', (overlay) => {
  test('has every object as its real schema wants it', () => {
    expect(objectsOf(overlay).flatMap(faultsOf)).toEqual([]);
  });

  test('has no two objects of the same kind and name', () => {
    const ids = objectsOf(overlay).map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  test('runs every function, with an image of its own', () => {
    const images = objectsOf(overlay)
      .filter(isWorkload)
      .map(({ metadata, spec }) => {
        const [{ image }] = spec.template.spec.containers;
        return [metadata.name, image.replace(/^.*\//, '').replace(/[:@].*$/, '')];
      });
    expect(Object.fromEntries(images)).toEqual(Object.fromEntries(names.map((name) => [name, name])));
    for (const workload of objectsOf(overlay).filter(isWorkload)) {
      const wanted = overlay === 'production' ? /@sha256:[0-9a-f]{64}$/ : /:local$/;
      expect(workload.spec.template.spec.containers[0].image).toMatch(wanted);
    }
  });

  test('deploys one function alone by its label: all that it consists of and nothing else', () => {
    const listed = (objects: readonly KubernetesObject[]) =>
      objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
    for (const name of names) {
      const labelled = objectsOf(overlay).filter(({ metadata }) => metadata.labels?.[NAME] === name);
      expect(listed(labelled), name).toEqual(listed(alone.get(name) ?? []));
    }
  });

  test('puts everything into one namespace and gives everything its label', () => {
    for (const { kind, metadata } of objectsOf(overlay)) {
      if (kind !== 'Namespace') expect(metadata.namespace, metadata.name).toBe('millrace');
      expect([...names, 'platform', 'streams'], `${kind} ${metadata.name}`).toContain(metadata.labels?.[NAME]);
    }
  });

  test('selects by the names of the functions', () => {
    const objects = objectsOf(overlay);
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
    const objects = objectsOf(overlay);
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

  test('gives no pod more than the restricted PodSecurity allows, nor a token, nor a disk to write to', () => {
    expect(at(kindOf(objectsOf(overlay), 'Namespace')[0], 'metadata', 'labels')).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    for (const { metadata, spec } of objectsOf(overlay).filter(isWorkload)) {
      const { securityContext, automountServiceAccountToken, containers, volumes } = spec.template.spec;
      const [container] = containers;
      const context = { ...securityContext, ...container.securityContext };
      expect(automountServiceAccountToken, metadata.name).toBe(false);
      expect(context, metadata.name).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources.limits.memory, metadata.name).toMatch(/^\d+Mi$/);
      expect(container.volumeMounts).toContainEqual({ name: 'secrets', mountPath: SECRETS, readOnly: true });
      expect(volumes.map(({ name }) => name)).toEqual(['secrets', 'tmp']);
    }
  });

  test('lets a pod drain: its grace is longer than what comes before the drain and the drain', () => {
    for (const { metadata, kind, spec } of objectsOf(overlay).filter(isWorkload)) {
      const { terminationGracePeriodSeconds, timeoutSeconds, containers } = spec.template.spec;
      const [{ lifecycle, env = [] }] = containers;
      const drain = Number(env.find(({ name }) => name === 'DRAIN_SECONDS')?.value ?? SETTINGS.DRAIN_SECONDS);
      const before = kind === 'Deployment' ? (lifecycle?.preStop.sleep.seconds ?? 0) : QUEUE_PROXY_SECONDS;
      const grace = terminationGracePeriodSeconds ?? timeoutSeconds ?? 0;
      expect(grace, metadata.name).toBeGreaterThan(before + drain);
    }
  });

  test('lets a function take as long for the first byte of an answer as its code may, by all limits of queue-proxy', () => {
    const limited = objectsOf(overlay).filter((one) => one.apiVersion === 'serving.knative.dev/v1');
    expect(limited.length).toBeGreaterThan(0);
    for (const { metadata, ...service } of limited) {
      const limit = (name: string) => Number(at(service, 'spec', 'template', 'spec', `${name}TimeoutSeconds`));
      // Time without a byte counts from the beginning of the request, not from the first byte.
      expect(limit('idle'), metadata.name).toBeGreaterThanOrEqual(limit('responseStart'));
      const whole = Number(at(service, 'spec', 'template', 'spec', 'timeoutSeconds'));
      expect(whole, metadata.name).toBeGreaterThanOrEqual(Math.max(limit('idle'), limit('responseStart')));
      expect(limit('responseStart'), metadata.name).toBeGreaterThan(MAX_WAIT_SECONDS);
    }
  });

  test('lets every function ask DNS, of the cluster or of its node', () => {
    for (const name of names) {
      const policy = kindOf(objectsOf(overlay), 'NetworkPolicy').find(({ metadata }) => metadata.name === name);
      const rules = at(policy, 'spec', 'egress') as { to?: object[]; ports: { port: number }[] }[];
      const asked = rules.filter(({ ports }) => ports.some(({ port }) => port === 53));
      expect(
        asked.flatMap(({ to = [] }) => to),
        name,
      ).toEqual([
        expect.objectContaining({ podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }),
        { ipBlock: { cidr: '169.254.20.10/32' } },
      ]);
    }
  });

  test('has no kind of object that would stay when a function is deleted as millrace affected says', () => {
    for (const { apiVersion, kind, metadata } of objectsOf(overlay)) {
      if (!names.includes(metadata.labels?.[NAME] ?? '')) continue;
      const [group, version] = apiVersion.split('/');
      const plural = `${kind.toLowerCase()}s`.replace(/ys$/, 'ies');
      expect(KINDS, metadata.name).toContain(version ? `${plural}.${group}` : plural);
    }
  });

  test('probes ports that are open, lets in Knative and the callers of user-service, and reads keys that there are', () => {
    const objects = objectsOf(overlay);
    const policyOf = (name: string) =>
      kindOf(objects, 'NetworkPolicy').find(({ metadata }) => metadata.name === name)?.spec;
    for (const { metadata, apiVersion, spec } of objects.filter(isWorkload)) {
      const [container] = spec.template.spec.containers;
      const open = (at(container, 'ports') as { name: string; containerPort: number }[]).flatMap(Object.values);
      for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe])
        if (probe) expect(open, metadata.name).toContain(at(probe, 'httpGet', 'port') ?? at(probe, 'grpc', 'port'));
      expect(JSON.stringify(at(policyOf(metadata.name), 'egress')), metadata.name).toContain('"port":4318');
      if (!apiVersion.startsWith('serving.')) continue;
      for (const namespace of ['knative-serving', 'kourier-system'])
        expect(JSON.stringify(at(policyOf(metadata.name), 'ingress')), metadata.name).toContain(`"${namespace}"`);
    }
    const [rule] = at(policyOf('user-service'), 'ingress') as [{ from: [object] }];
    const wanted = at(rule.from[0], 'podSelector', 'matchLabels') as object;
    for (const { metadata, spec } of objects.filter(isWorkload))
      if (spec.template.spec.containers[0].envFrom.some(({ configMapRef }) => configMapRef.name === 'user-service'))
        if (metadata.name !== 'user-service') expect(spec.template.metadata.labels).toMatchObject(wanted);
    for (const one of kindOf(objects, 'TriggerAuthentication'))
      for (const { name, key } of (at(one, 'spec', 'configMapTargetRef') ?? []) as { name: string; key: string }[]) {
        const map = kindOf(objects, 'ConfigMap').find(({ metadata }) => metadata.name === name);
        expect(Object.keys(map?.data ?? {})).toContain(key);
      }
  });

  test('denies what no policy allows, and lets each function reach just what its code needs', async () => {
    const objects = objectsOf(overlay);
    const policies = kindOf(objects, 'NetworkPolicy');
    expect(policies.find(({ metadata }) => metadata.name === 'default-deny')?.spec).toEqual({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
    const ports: Readonly<Record<string, number>> = {
      NATS_URL: 4222,
      DATABASE_URL: 5432,
      USER_SERVICE_ADDRESS: 50051,
      SMTP_URL: 587,
    };
    for (const name of names) {
      const { needs } = await definitionOf(name);
      const policy = policies.find(({ metadata }) => metadata.name === name);
      const egress = at(policy, 'spec', 'egress') as { ports: { port: number }[] }[];
      const open = egress.flatMap((rule) => rule.ports.map(({ port }) => port));
      for (const [setting, port] of Object.entries(ports)) {
        const needed = needs.some((need) => need === setting);
        expect(open.includes(port), `${name} reaches ${port} for ${setting}`).toBe(needed);
      }
    }
  });

  test('sets every setting that a function needs, but for those in its Secret', async () => {
    const objects = objectsOf(overlay);
    const inSecret = overlay === 'production' ? ['DATABASE_URL', 'SMTP_URL'] : [];
    for (const { metadata, spec } of objects.filter(isWorkload)) {
      const [{ envFrom, env = [] }] = spec.template.spec.containers;
      const maps = envFrom.map(({ configMapRef }) =>
        kindOf(objects, 'ConfigMap').find((map) => map.metadata.name === configMapRef.name),
      );
      const set = [...maps.flatMap((map) => Object.keys(map?.data ?? {})), ...env.map(({ name }) => name), ...inSecret];
      for (const need of (await definitionOf(metadata.name)).needs)
        if (SETTINGS[need] === undefined) expect(set, `${metadata.name} needs ${need}`).toContain(need);
    }
  });
});

test('production keeps three copies of every stream and consumer, and speaks TLS', () => {
  const objects = objectsOf('production');
  const kept = objects.filter(({ kind }) => kind === 'Stream' || kind === 'Consumer');
  expect(kept.length).toBeGreaterThan(30);
  for (const one of kept) expect(at(one, 'spec', 'replicas'), one.metadata.name).toBe(3);
  const settings = Object.assign({}, ...kindOf(objects, 'ConfigMap').map(({ data }) => data));
  expect(settings.NATS_URL).toMatch(/^tls:/);
  for (const setting of ['GRPC_TLS_CERT_FILE', 'GRPC_TLS_KEY_FILE', 'GRPC_TLS_CA_FILE', 'NATS_SEED_FILE'])
    expect(settings[setting], setting).toContain(`${SECRETS}/`);
});

test('a probe of life asks nothing that a restart would not mend, and user-service is asked by gRPC where it has no TLS', () => {
  for (const { metadata, kind, spec } of objectsOf('local-cluster').filter(isWorkload)) {
    const [{ startupProbe, livenessProbe, readinessProbe }] = spec.template.spec.containers;
    const alive =
      metadata.name === 'user-service' ? { grpc: { service: 'liveness' } } : { httpGet: { path: '/livez' } };
    const ready =
      metadata.name === 'user-service' ? { grpc: { service: 'readiness' } } : { httpGet: { path: '/readyz' } };
    expect(livenessProbe, metadata.name).toMatchObject(alive);
    if (kind === 'Deployment') expect(startupProbe, metadata.name).toMatchObject(alive);
    expect(readinessProbe, metadata.name).toMatchObject(ready);
  }
  const user = objectsOf('production')
    .filter(isWorkload)
    .find(({ metadata }) => metadata.name === 'user-service');
  expect(user?.spec.template.spec.containers[0].livenessProbe).toMatchObject({ httpGet: { path: '/livez' } });
});

test('the push profile delivers to a function the types that it handles, from a broker that tries again', async () => {
  const objects = await build('knative/push');
  expect(objects.flatMap(faultsOf)).toEqual([]);
  expect(at(kindOf(objects, 'Broker')[0], 'spec', 'delivery', 'retry')).toBeGreaterThan(0);
  const pushed = objects.filter(isWorkload);
  expect(pushed.length).toBeGreaterThanOrEqual(3);
  for (const { metadata, spec } of pushed) {
    const name = metadata.name.replace(/-pushed$/, '');
    const [container] = spec.template.spec.containers;
    expect(container.image).toBe(`millrace/${name}`);
    expect(container.env).toContainEqual({ name: 'DELIVERY', value: 'push' });
    expect(spec.template.spec.volumes[0]?.secret?.secretName).toBe(name);
    const triggers = kindOf(objects, 'Trigger').filter(
      (trigger) => at(trigger, 'spec', 'subscriber', 'ref', 'name') === metadata.name,
    );
    const { consumes } = await definitionOf(name);
    expect(triggers.map((trigger) => at(trigger, 'spec', 'filter', 'attributes', 'type')).sort()).toEqual(
      [...consumes].sort(),
    );
  }
});

test.each(OVERLAYS)('push beside %s has its images, and reaches the mail server', async (overlay) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-push-'));
  const to = path.relative(realpathSync(folder), path.join(repository, 'knative/overlays', overlay));
  const text = readFileSync(path.join(repository, 'knative/overlays', overlay, 'kustomization.yaml'), 'utf8');
  const push = text.replace('  - ../../functions\n', '  - ../../functions\n  - ../../push\n');
  writeFileSync(path.join(folder, 'kustomization.yaml'), push.replaceAll('../../', `${to}/../../`));
  const objects = await build(folder).finally(() => rmSync(folder, { recursive: true }));
  const pushed = objects.filter(isWorkload).filter(({ metadata }) => metadata.name.endsWith('-pushed'));
  expect(pushed.length).toBeGreaterThanOrEqual(3);
  for (const { spec } of pushed) expect(spec.template.spec.containers[0].image).toMatch(/^[a-z]+\.[a-z]+\/millrace\//);
  const portsOf = (name: string) => {
    const policy = kindOf(objects, 'NetworkPolicy').find(({ metadata }) => metadata.name === name);
    return (at(policy, 'spec', 'egress') as { ports: object[] }[]).flatMap(({ ports }) => ports);
  };
  expect(portsOf('order-emails-pushed')).toEqual(portsOf('order-emails'));
});

test('a schema refuses a field that it does not know, a wrong type and what is missing', () => {
  const objects = structuredClone(objectsOf('production')) as KubernetesObject[];
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
