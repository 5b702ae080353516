import { beforeAll, describe, expect, test } from 'vitest';
import { PORTS } from '../../functions/notifications/webhook-target.ts';
import { NOT_PUBLIC_V4, NOT_PUBLIC_V6, PUBLIC_V6 } from '../../functions/runtime/http/public-address.ts';
import { at, kindOf } from '../support/kubernetes-objects.ts';
import { buildOverlays, definitionOf, isWorkload, names, OVERLAYS } from '../support/overlays.ts';

let built: Awaited<ReturnType<typeof buildOverlays>>;
beforeAll(async () => {
  built = await buildOverlays();
}, 120_000);

describe.each(OVERLAYS)('overlay %s', (overlay) => {
  test('lets every function ask DNS, of the cluster or of its node', () => {
    for (const name of names) {
      const policy = kindOf(built[overlay], 'NetworkPolicy').find(({ metadata }) => metadata.name === name);
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

  test('probes ports that are open, lets in Knative and the callers of user-service, and reads keys that there are', () => {
    const objects = built[overlay];
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
    const [wanted] = at(rule.from[0], 'podSelector', 'matchExpressions') as [{ key: string; values: string[] }];
    const callers = objects
      .filter(isWorkload)
      .filter(({ spec }) =>
        spec.template.spec.containers[0].envFrom.some(({ configMapRef }) => configMapRef.name === 'services'),
      )
      .flatMap(({ spec }) => spec.template.metadata.labels[wanted.key] ?? [])
      .filter((name) => name !== 'user-service');
    expect(callers.length).toBeGreaterThan(0);
    expect(wanted.values.filter((name) => !name.endsWith('-pushed'))).toEqual(callers.sort());
    for (const one of kindOf(objects, 'TriggerAuthentication'))
      for (const { name, key } of (at(one, 'spec', 'configMapTargetRef') ?? []) as { name: string; key: string }[]) {
        const map = kindOf(objects, 'ConfigMap').find(({ metadata }) => metadata.name === name);
        expect(Object.keys(map?.data ?? {})).toContain(key);
      }
  });

  test('lets those that declare it reach the internet, by the ports and without the ranges that their code refuses', async () => {
    const definitions = await Promise.all(names.map(async (name) => ({ ...(await definitionOf(name)), name })));
    const declaring = definitions.filter(({ outbound = [], settings }) =>
      outbound.some(({ host }) => !(host in settings)),
    );
    expect(declaring.map(({ name }) => name)).toContain('webhooks');
    const wide = kindOf(built[overlay], 'NetworkPolicy').flatMap(({ metadata, spec }) =>
      ((at(spec, 'egress') ?? []) as { to?: object[] }[])
        .filter(({ to = [] }) => /"cidr":"[^"]*\/[0-3]"/.test(JSON.stringify(to)))
        .map((rule) => ({ name: metadata.name, ...rule })),
    );
    expect(wide.sort((a, b) => a.name.localeCompare(b.name))).toEqual(
      declaring.map(({ name }) => ({
        name,
        to: [
          { ipBlock: { cidr: '0.0.0.0/0', except: NOT_PUBLIC_V4 } },
          { ipBlock: { cidr: PUBLIC_V6, except: NOT_PUBLIC_V6 } },
        ],
        ports: PORTS.map((port) => ({ port })),
      })),
    );
  });

  test('denies what no policy allows, and lets each function reach just what its code needs', async () => {
    const objects = built[overlay];
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
      const { settings } = await definitionOf(name);
      const policy = policies.find(({ metadata }) => metadata.name === name);
      const egress = at(policy, 'spec', 'egress') as { ports: { port: number }[] }[];
      const open = egress.flatMap((rule) => rule.ports.map(({ port }) => port));
      for (const [setting, port] of Object.entries(ports)) {
        expect(open.includes(port), `${name} reaches ${port} for ${setting}`).toBe(setting in settings);
      }
    }
  });
});
