import { beforeAll, describe, expect, test } from 'vitest';
import { MAX_WAIT_SECONDS } from '../../functions/api/headers.ts';
import { commonSettings } from '../../functions/runtime/function.ts';
import { at, kindOf } from '../support/kubernetes-objects.ts';
import { buildOverlays, definitionOf, isWorkload, OVERLAYS } from '../support/overlays.ts';

let built: Awaited<ReturnType<typeof buildOverlays>>;
/** Knative's queue-proxy holds SIGTERM back for so long. */
const QUEUE_PROXY_SECONDS = 30;
const SECRETS = '/var/run/secrets/millrace';

beforeAll(async () => {
  built = await buildOverlays();
}, 120_000);

describe.each(OVERLAYS)('overlay %s', (overlay) => {
  test('gives no pod more than the restricted PodSecurity allows, nor a token, nor a disk to write to', () => {
    expect(at(kindOf(built[overlay], 'Namespace')[0], 'metadata', 'labels')).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    for (const { metadata, spec } of built[overlay].filter(isWorkload)) {
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
    for (const { metadata, kind, spec } of built[overlay].filter(isWorkload)) {
      const { terminationGracePeriodSeconds, timeoutSeconds, containers } = spec.template.spec;
      const [{ lifecycle, env = [] }] = containers;
      const drain = Number(
        env.find(({ name }) => name === 'DRAIN_SECONDS')?.value ?? commonSettings.DRAIN_SECONDS.default,
      );
      const before = kind === 'Deployment' ? (lifecycle?.preStop.sleep.seconds ?? 0) : QUEUE_PROXY_SECONDS;
      const grace = terminationGracePeriodSeconds ?? timeoutSeconds ?? 0;
      expect(grace, metadata.name).toBeGreaterThan(before + drain);
    }
  });

  test('lets a function take as long for the first byte of an answer as its code may, by all limits of queue-proxy', () => {
    const limited = built[overlay].filter((one) => one.apiVersion === 'serving.knative.dev/v1');
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

  test('sets every setting that a function needs, but for those in its Secret', async () => {
    const objects = built[overlay];
    for (const { metadata, spec } of objects.filter(isWorkload)) {
      const [{ envFrom, env = [] }] = spec.template.spec.containers;
      const maps = envFrom.map(({ configMapRef }) =>
        kindOf(objects, 'ConfigMap').find((map) => map.metadata.name === configMapRef.name),
      );
      const set = [...maps.flatMap((map) => Object.keys(map?.data ?? {})), ...env.map(({ name }) => name)];
      for (const [need, setting] of Object.entries((await definitionOf(metadata.name)).settings)) {
        const given = setting.default !== undefined || setting.optional || (setting.secret && overlay === 'production');
        if (!given) expect(set, `${metadata.name} needs ${need}`).toContain(need);
      }
    }
  });
});

test('a probe of life asks nothing that a restart would not mend, and user-service is asked by gRPC where it has no TLS', () => {
  for (const { metadata, kind, spec } of built['local-cluster'].filter(isWorkload)) {
    const [{ startupProbe, livenessProbe, readinessProbe }] = spec.template.spec.containers;
    const alive =
      metadata.name === 'user-service' ? { grpc: { service: 'liveness' } } : { httpGet: { path: '/livez' } };
    const ready =
      metadata.name === 'user-service' ? { grpc: { service: 'readiness' } } : { httpGet: { path: '/readyz' } };
    expect(livenessProbe, metadata.name).toMatchObject(alive);
    if (kind === 'Deployment') expect(startupProbe, metadata.name).toMatchObject(alive);
    expect(readinessProbe, metadata.name).toMatchObject(ready);
  }
  const user = built.production.filter(isWorkload).find(({ metadata }) => metadata.name === 'user-service');
  expect(user?.spec.template.spec.containers[0].livenessProbe).toMatchObject({ httpGet: { path: '/livez' } });
});
