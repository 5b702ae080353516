import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { setting, text } from '../../functions/runtime/settings.ts';
import { eventStreams } from './event-streams.ts';
import { kustomization, type Surroundings } from './kustomizations.ts';

type Kustomization = {
  readonly resources: readonly string[];
  readonly components: readonly string[];
  readonly configMapGenerator?: readonly object[];
  readonly patches: readonly { readonly path?: string; readonly patch?: string }[];
};
const any = setting('', text);
const FILES = ['scaledobject.yaml', 'consumer.yaml', 'kustomization.yaml'];
const AROUND: Surroundings = { services: ['box-service'], callers: [] };
const pigeon = { name: 'pigeon', kind: 'notifier', source: 'functions/post/pigeon/function.ts' } as const;
const built = (more: Partial<Parameters<typeof kustomization>[0]>, files = FILES, around = AROUND) =>
  parse(kustomization({ ...pigeon, settings: {}, ...more }, files, around)) as Kustomization;

test('a function reaches what its settings name, and nothing else', () => {
  const settings = { NATS_URL: any, DATABASE_URL: any, BOX_SERVICE_ADDRESS: any };
  const { resources, components, patches } = built({ settings });
  expect(resources).toEqual(['consumer.yaml', 'scaledobject.yaml']);
  expect(components).toEqual(['../../base/event-function', '../../base/reaches-postgres']);
  expect(patches.map(({ patch }) => patch).join('')).toMatch(/name: services.*name: box-service } }.*port: 50051/s);
  expect(built({}).components).toEqual(['../../base/event-function']);
});

test('a host on the internet opens that alone, and one that a setting names its ports', () => {
  expect(built({ outbound: [{ host: '*', ports: [443] }] }).components).toContain('../../base/reaches-internet');
  const named = built({ settings: { LOFT_URL: any }, outbound: [{ host: 'LOFT_URL', ports: [2525] }] });
  expect(named.components).toEqual(['../../base/event-function']);
  expect(named.patches[0]?.patch).toContain('value: { ports: [{ port: 2525 }] }');
  expect(() => built({ outbound: [{ host: 'loft.example', ports: [80] }] })).toThrow(
    'pigeon declares outbound calls to loft.example on port 80',
  );
});

test('what operators write beside it is taken in: settings, a patch, more resources', () => {
  const { resources, configMapGenerator, patches } = built({}, [...FILES, 'patch.yaml', 'settings.env', 'quota.yaml']);
  expect(resources).toEqual(['consumer.yaml', 'quota.yaml', 'scaledobject.yaml']);
  expect(configMapGenerator).toEqual([{ name: 'pigeon-settings', envs: ['settings.env'] }]);
  expect(patches.at(-1)).toEqual({ path: 'patch.yaml' });
});

test('a service lets in those who call it, and nobody without', () => {
  const policy = (callers: string[]) =>
    built({ name: 'box-service', kind: 'service' }, ['hpa.yaml'], { ...AROUND, callers }).patches?.[0]?.patch;
  expect(policy(['pigeon'])).toContain('values: [pigeon]');
  expect(policy([])).toBeUndefined();
});

test('a context with a stream and no events, or events and no stream, is refused', () => {
  expect(() => eventStreams([{ name: 'post', stream: { name: 'POST', description: '' } }])).toThrow(
    'functions/post/context.ts declares a stream, but not events',
  );
});
