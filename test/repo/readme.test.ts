import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Definition } from '../../functions/runtime/function.ts';
import { commonSettings } from '../../functions/runtime/function.ts';
import type { Setting } from '../../functions/runtime/settings.ts';
import { readmeFiles } from '../../scripts/generate/readmes.ts';
import { eventsOf, readContexts } from '../../scripts/registry/contexts.ts';
import { listFunctions } from '../../scripts/registry/functions.ts';
import { roleOf } from '../../scripts/registry/postgres-roles.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { build } from '../support/kustomize.ts';
import { isWorkload } from '../support/overlays.ts';

const read = (file: string): string => readFileSync(path.join(repository, file), 'utf8');

const definitions = async () =>
  Promise.all(
    (await listFunctions()).map(async ({ name, context, source }) => {
      const { default: definition } = (await import(source)) as { default: Definition };
      return { name, context, ...definition };
    }),
  );

test('the tables of functions and settings are what is generated; if not, run npm run generate', async () => {
  expect({ 'functions/README.md': read('functions/README.md') }).toEqual(await readmeFiles());
});

const events = Object.keys(eventsOf(await readContexts()));

/** `order.created`, `.paid` → order.created, order.paid; `order.*` is all of them. */
function typesIn(cell: string): string[] {
  const types: string[] = [];
  for (const [, shown = ''] of cell.matchAll(/`([^`]+)`/g)) {
    if (shown.endsWith('.*')) types.push(...events.filter((type) => type.startsWith(shown.slice(0, -1))));
    else types.push(shown.startsWith('.') ? (types.at(-1) ?? '').replace(/\.[^.]*$/, shown) : shown);
  }
  return types.sort();
}

test('the table of functions has a row for each, with what it takes and sends, and the limits that its pods have', {
  timeout: 120_000,
}, async () => {
  const rows = new Map(
    [...read('functions/README.md').matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].map(([, name = '', cells = '']) => [
      name,
      cells.split(' | '),
    ]),
  );
  const pods = (await build('knative/functions')).filter(isWorkload);
  const functions = await definitions();
  expect([...rows.keys()].sort()).toEqual(functions.map(({ name }) => name));
  for (const { name, kind, consumes, publishes, schedules } of functions) {
    const [shownKind, takes = '', sends = '', , , memory] = rows.get(name) ?? [];
    expect(shownKind, name).toBe(kind);
    expect(typesIn(takes), name).toEqual([...consumes].sort());
    if (kind !== 'relay') expect(typesIn(sends), name).toEqual([...publishes, ...schedules].sort());
    const container = pods.find(({ metadata }) => metadata.name === name)?.spec.template.spec.containers[0];
    expect(memory, name).toBe(container?.resources.limits.memory);
    expect(container?.resources.limits.cpu, `${name}: CPU has no limit, as the table begins with`).toBeUndefined();
  }
});

test('the table of settings lists every setting, with the functions that have it and its default', async () => {
  const rows = [...read('functions/README.md').matchAll(/^\| `([A-Z_]+)` \| (.*?) \| .+ \| (.*?) ?\|$/gm)];
  const named = (text = ''): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  const functions = await definitions();
  const all = functions.map(({ name }) => name);
  const listed = rows.map(([, setting, which = '', preset = '']) => ({
    setting,
    functions: which.startsWith('all') ? all.filter((name) => !named(which).includes(name)) : named(which).sort(),
    preset: preset === 'empty' ? '' : named(preset)[0],
  }));
  const declared = Object.assign({ ...commonSettings }, ...functions.map(({ settings }) => settings));
  const there = Object.entries<Setting>(declared).map(([setting, { default: preset }]) => {
    const having = functions.filter(({ settings }) => setting in settings).map(({ name }) => name);
    return { setting, functions: setting in commonSettings ? all : having, preset };
  });
  const bySetting = (a: { setting?: string | undefined }, b: typeof a) => `${a.setting}`.localeCompare(`${b.setting}`);
  expect(listed.sort(bySetting)).toEqual(there.sort(bySetting));
});

test('the table of metrics lists every metric that is counted, and no other', () => {
  const listed = [...read('functions/README.md').matchAll(/^\| `(millrace\.[a-z_.]+)` \|/gm)].map(([, name]) => name);
  const sources = ['functions', 'scripts/platform', 'scripts/shop'].flatMap((folder) =>
    readdirSync(path.join(repository, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => read(path.join(folder, file))),
  );
  const calls = /(?:count|setGauge|record)\(\s*'(millrace\.[a-z_.]+)'|^ {2}\w+: '(millrace\.messages?\.\w+)',$/gm;
  const counted = sources.flatMap((source) => [...source.matchAll(calls)].map(([, name, other]) => name ?? other));
  expect(listed.sort()).toEqual([...new Set(counted)].sort());
});

test('the table of roles says for every function by which one it reads and writes', async () => {
  const rows = [...read('infra/postgres/README.md').matchAll(/^\| `([a-z_]+)` \| (.*?) \|/gm)];
  const listed = rows.flatMap(([, role, functions = '']) =>
    [...functions.matchAll(/`([^`]+)`/g)].map(([, name]) => `${role} ${name}`),
  );
  const there = (await definitions()).flatMap((one) => (roleOf(one) ? [`${roleOf(one)} ${one.name}`] : []));
  expect(listed.sort()).toEqual([...there, 'outbox_reader outbox-relay'].sort());
});

test.each([
  'README.md',
  'functions/README.md',
  'infra/README.md',
  'infra/deployments.md',
  'infra/postgres/README.md',
  'infra/telemetry/runbook.md',
  'proto/README.md',
  'test/README.md',
])('every link of %s leads to a file', (file) => {
  const links = [...read(file).matchAll(/\]\(([^)#]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !link.includes('://'));
  expect(links.length).toBeGreaterThan(0);
  for (const link of links) expect(existsSync(path.join(repository, path.dirname(file), link)), link).toBe(true);
});

test('every npm script that the README names is there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...read('README.md').matchAll(/`npm (?:run )?([a-z]+)/g)].map(([, name = '']) => name);
  expect(named).toContain('start');
  for (const name of named) expect(Object.keys(scripts)).toContain(name);
});
