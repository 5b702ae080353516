import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { repository } from '../../scripts/registry/repository.ts';
import { at, kindOf } from '../support/kubernetes-objects.ts';
import { faultsOf } from '../support/kubernetes-schemas.ts';
import { build } from '../support/kustomize.ts';
import { buildOverlays, definitionOf, isWorkload, OVERLAYS } from '../support/overlays.ts';

let _built: Awaited<ReturnType<typeof buildOverlays>>;
beforeAll(async () => {
  _built = await buildOverlays();
}, 120_000);

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
