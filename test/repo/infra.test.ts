import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { repository } from '../../scripts/registry/repository.ts';
import { at, kindOf } from '../support/kubernetes-objects.ts';
import { faultsOf, type KubernetesObject } from '../support/kubernetes-schemas.ts';
import { build } from '../support/kustomize.ts';

const NAME = 'app.kubernetes.io/name';
const NAMESPACE = 'kubernetes.io/metadata.name';
/** Its CRDs are a megabyte: objects of it were held against those of 1.30.0 by hand. */
const UNCHECKED = 'there is no schema of postgresql.cnpg.io/v1 ';

const infra = path.join(repository, 'infra');
const read = (file: string): string => readFileSync(path.join(infra, file), 'utf8');
const folders = readdirSync(infra, { recursive: true, encoding: 'utf8' })
  .filter((file) => path.basename(file) === 'kustomization.yaml')
  .map((file) => path.dirname(file));
const built = new Map<string, readonly KubernetesObject[]>();
beforeAll(async () => {
  for (const folder of folders) built.set(`infra/${folder}`, await build(`infra/${folder}`));
  for (const where of ['production', 'local-cluster'])
    built.set(`knative/overlays/${where}`, await build(`knative/overlays/${where}`));
}, 180_000);
const objectsOf = (...names: readonly string[]): readonly KubernetesObject[] =>
  names.flatMap((name) => built.get(name) ?? []);

/** Every text that is the value of such a key, however deep. */
function textsOf(value: unknown, key: RegExp): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === 'string' && key.test(name) ? [inner] : textsOf(inner, key),
  );
}

type Labels = Readonly<Record<string, string>>;
type Peer = { readonly namespaceSelector?: { readonly matchLabels: Labels } };
type Rule = { readonly from?: readonly Peer[]; readonly ports?: readonly { readonly port: number }[] };

const rulesOf = (policy: KubernetesObject): readonly Rule[] => at<Rule[] | undefined>(policy, 'spec', 'ingress') ?? [];
/** The namespaces other than its own from which a namespace may be called at a port. */
const callersOf = (objects: readonly KubernetesObject[], namespace: string, port: number): string[] =>
  kindOf(objects, 'NetworkPolicy')
    .filter(({ metadata }) => metadata.namespace === namespace)
    .flatMap(rulesOf)
    .filter(({ ports = [] }) => ports.some((one) => one.port === port))
    .flatMap(({ from = [] }) => from)
    .flatMap(({ namespaceSelector }) => namespaceSelector?.matchLabels[NAMESPACE] ?? [])
    .sort();
const workloadsOf = (objects: readonly KubernetesObject[]) => kindOf(objects, 'Deployment', 'StatefulSet', 'Job');

describe.each(folders.map((folder) => `infra/${folder}`))('%s', (folder) => {
  test('has every object as its real schema wants it', () => {
    const objects = objectsOf(folder);
    expect(objects.length).toBeGreaterThan(0);
    expect(objects.flatMap(faultsOf).filter((fault) => !fault.startsWith(UNCHECKED))).toEqual([]);
  });

  test('gives no pod more than the restricted PodSecurity allows, nor a token', () => {
    for (const { metadata } of kindOf(objectsOf(folder), 'Namespace'))
      expect(metadata.labels?.['pod-security.kubernetes.io/enforce'], metadata.name).toBe('restricted');
    for (const workload of workloadsOf(objectsOf(folder))) {
      const { name } = workload.metadata;
      const pod = at<Record<string, unknown>>(workload, 'spec', 'template', 'spec');
      expect(pod.automountServiceAccountToken, name).toBe(false);
      expect(pod.securityContext, name).toMatchObject({
        runAsNonRoot: true,
        runAsUser: expect.any(Number),
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of pod.containers as object[]) {
        expect(at(container, 'securityContext'), name).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(at(container, 'resources', 'limits', 'memory'), name).toMatch(/^\d+[MG]i$/);
      }
    }
  });

  test('opens no port to everybody, and leaves no namespace with pods open', () => {
    const objects = objectsOf(folder);
    const policies = kindOf(objects, 'NetworkPolicy');
    for (const policy of policies)
      for (const { from = [], ports = [] } of rulesOf(policy)) {
        expect(from.length, policy.metadata.name).toBeGreaterThan(0);
        expect(ports.length, policy.metadata.name).toBeGreaterThan(0);
        for (const peer of from) expect(peer, policy.metadata.name).not.toEqual({ namespaceSelector: {} });
      }
    const closed = policies.filter((policy) => JSON.stringify(at(policy, 'spec', 'podSelector')) === '{}');
    for (const { metadata } of workloadsOf(objects))
      expect(closed.map((policy) => policy.metadata.namespace)).toContain(metadata.namespace);
  });
});

test('every image has a version, and none is the latest', () => {
  const compose: unknown = parse(read('compose.yaml'), { merge: true });
  const images = [...folders.flatMap((folder) => objectsOf(`infra/${folder}`)), compose].flatMap((one) =>
    textsOf(one, /^(image|imageName)$/),
  );
  expect(images.length).toBeGreaterThan(15);
  for (const image of images) expect(image).toMatch(/^[a-z0-9./-]+:v?\d+[\w.-]*$/);
  for (const file of ['nats/values.yaml', 'nats/nack-values.yaml']) {
    expect(textsOf(parse(read(file)), /^tag$/), file).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+/)]);
    expect(read(file)).toMatch(/helm upgrade --install \w+ nats\/\w+ --version \d+\.\d+\.\d+ /);
  }
});

test.each(['infra/production', 'infra/local-cluster'])('%s lets only those call who must', (folder) => {
  const objects = objectsOf(folder);
  expect(callersOf(objects, 'nats', 4222)).toEqual(['millrace', 'nack']);
  expect(callersOf(objects, 'nats', 6222)).toEqual([]);
  expect(callersOf(objects, 'nats', 8222)).toEqual(['keda', 'telemetry']);
  const operator = folder === 'infra/production' ? ['cnpg-system'] : [];
  expect(callersOf(objects, 'postgres', 5432)).toEqual([...operator, 'keda', 'millrace']);
});

describe('the addresses that functions are given', () => {
  type Address = { readonly service: string; readonly namespace: string; readonly port: number };
  const settingsOf = (where: string): Labels =>
    Object.assign({}, ...kindOf(objectsOf(`knative/overlays/${where}`), 'ConfigMap').map(({ data }) => data));
  const addressOf = (text = ''): Address => {
    const [, service = '', namespace = '', port = ''] =
      /^(?:\w+:\/\/)?(?:\w+@)?([\w-]+)\.([\w-]+)\.svc\.cluster\.local:(\d+)/.exec(text) ?? [];
    return { service, namespace, port: Number(port) };
  };
  const CALLERS = { endpoint: 'keda' } as const;
  const check = (objects: readonly KubernetesObject[], setting: string, text: string | undefined): void => {
    const { service, namespace, port } = addressOf(text);
    const found = kindOf(objects, 'Service').find(
      ({ metadata }) => metadata.name === service && metadata.namespace === namespace,
    );
    const open = at<{ port: number; targetPort: string }[] | undefined>(found, 'spec', 'ports') ?? [];
    const target = open.find((one) => one.port === port)?.targetPort;
    const selector = at<Labels | undefined>(found, 'spec', 'selector') ?? {};
    const pods = workloadsOf(objects).filter(
      (one) =>
        one.metadata.namespace === namespace &&
        at(one, 'spec', 'template', 'metadata', 'labels', NAME) === selector[NAME],
    );
    const listening = pods.flatMap((pod) =>
      at<{ name: string; containerPort: number }[]>(pod, 'spec', 'template', 'spec', 'containers', 0, 'ports'),
    );
    const containerPort = listening.find(({ name }) => name === target)?.containerPort;
    expect(containerPort, `${setting} is ${text}`).toBe(port);
    const caller = setting in CALLERS ? CALLERS.endpoint : 'millrace';
    expect(callersOf(objects, namespace, port), setting).toContain(caller);
  };

  test.each(['NATS_URL', 'DATABASE_URL', 'SMTP_URL', 'endpoint', 'OTEL_EXPORTER_OTLP_ENDPOINT'])(
    '%s of the local cluster is that of a Service here, and reaches a pod',
    (setting) => {
      check(objectsOf('infra/local-cluster', 'infra/telemetry'), setting, settingsOf('local-cluster')[setting]);
    },
  );

  test('production is told of the release that the Helm values are for, with TLS, and of the collector', () => {
    const { NATS_URL, endpoint, account, OTEL_EXPORTER_OTLP_ENDPOINT } = settingsOf('production');
    const values: unknown = parse(read('nats/values.yaml'));
    expect(read('nats/values.yaml')).toContain('--install nats nats/nats');
    expect(addressOf(NATS_URL)).toEqual({ service: 'nats', namespace: 'nats', port: 4222 });
    expect(NATS_URL?.startsWith('tls:')).toBe(at(values, 'config', 'nats', 'tls', 'enabled'));
    const monitor = at(values, 'config', 'monitor', 'port');
    expect(addressOf(endpoint)).toEqual({ service: 'nats-headless', namespace: 'nats', port: monitor });
    expect(account).toBe('SHOP');
    expect(at(values, 'config', 'merge', '$include')).toMatch(/\/accounts\.conf$/);
    expect(at(parse(read('nats/nack-values.yaml')), 'jetstream', 'nats', 'url')).toBe(NATS_URL);
    check(objectsOf('infra/production'), 'OTEL_EXPORTER_OTLP_ENDPOINT', OTEL_EXPORTER_OTLP_ENDPOINT);
  });
});
