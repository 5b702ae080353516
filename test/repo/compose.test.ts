import { existsSync, readFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Definition } from '../../functions/runtime/function.ts';
import { commonSettings } from '../../functions/runtime/function.ts';
import type { HttpDefinition } from '../../functions/runtime/http.ts';
import { caddyRoutes } from '../../scripts/generate/compose.ts';
import { listFunctions, readDefinitions } from '../../scripts/registry/functions.ts';
import { repository } from '../../scripts/registry/repository.ts';

type Service = {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile?: string; readonly args?: { FUNCTION: string } };
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: object;
  readonly networks?: { readonly default: { readonly ipv4_address: string } };
  readonly depends_on?: readonly string[] | Readonly<Record<string, { readonly condition: string }>>;
};
type Compose = {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
  readonly networks: {
    readonly default: { readonly ipam: { readonly config: readonly [{ subnet: string; ip_range: string }] } };
  };
};

const infra = path.join(repository, 'infra');
const file = readFileSync(path.join(infra, 'compose.yaml'), 'utf8');
const { services, volumes, networks } = parse(file, { merge: true }) as Compose;
const functions = await listFunctions();
const neededOf = ({ depends_on = [] }: Service): readonly string[] =>
  Array.isArray(depends_on) ? depends_on : Object.keys(depends_on);

test('compose runs every function, each from an image of its own', () => {
  const built = Object.entries(services).filter(([, { build }]) => build?.args !== undefined);
  expect(built.map(([name]) => name).sort()).toEqual(functions.map(({ name }) => name));
  for (const [name, { build }] of built) expect(build, name).toEqual({ context: '..', args: { FUNCTION: name } });
});

test('compose sets every setting that a function needs, to addresses of its own services', async () => {
  const definitions = await readDefinitions();
  const taken = Object.keys(Object.assign({ TZ: '' }, commonSettings, ...definitions.map(({ settings }) => settings)));
  for (const { name, ...definition } of definitions) {
    const environment = services[name]?.environment ?? {};
    for (const [need, { default: preset, optional }] of Object.entries(definition.settings))
      if (preset === undefined && !optional) expect(Object.keys(environment), `${name} needs ${need}`).toContain(need);
    for (const [setting, value] of Object.entries(environment)) {
      expect(taken, `${name} is given ${setting}`).toContain(setting);
      const [, host] = /^(?:[a-z]+:\/\/)?(?:\w+@)?([a-z-]+):\d+/.exec(value) ?? [];
      if (host && host !== 'localhost') expect(Object.keys(services), `${setting} of ${name}`).toContain(host);
    }
  }
});

test('compose mounts and builds only what is there', () => {
  for (const [name, { build, volumes: mounts = [] }] of Object.entries(services)) {
    for (const mount of mounts) {
      const [from = ''] = mount.split(':');
      if (from.startsWith('.')) expect(existsSync(path.join(infra, from)), `${mount} of ${name}`).toBe(true);
      else expect(Object.keys(volumes), `${mount} of ${name}`).toContain(from);
    }
    if (!build?.dockerfile) continue;
    const file = path.join(infra, build.context, build.dockerfile);
    expect(existsSync(file), build.dockerfile).toBe(true);
    const copied = [...readFileSync(file, 'utf8').matchAll(/^COPY ((?:[\w./-]+ )+)[\w./-]+$/gm)];
    expect(copied.length).toBeGreaterThan(0);
    for (const source of copied.flatMap(([, sources = '']) => sources.trim().split(' '))) {
      expect(existsSync(path.join(infra, build.context, source)), source).toBe(true);
      const [top = ''] = source.split('/');
      expect(readFileSync(`${file}.dockerignore`, 'utf8').split('\n'), source).toContain(`!${top}`);
    }
  }
});

test('compose waits for what is there, and for the health of what has some', () => {
  for (const [name, service] of Object.entries(services)) {
    expect(Object.keys(services), name).toEqual(expect.arrayContaining([...neededOf(service)]));
    for (const [needed, { condition }] of Object.entries(
      Array.isArray(service.depends_on) ? {} : (service.depends_on ?? {}),
    ))
      if (condition === 'service_healthy')
        expect(services[needed]?.healthcheck, `${name} waits for ${needed}`).toBeDefined();
  }
});

test('compose gives nobody the address of its gateway before the gateway has it', () => {
  const [{ subnet, ip_range: range }] = networks.default.ipam.config;
  const inside = (net: string, address = ''): boolean => {
    const [from = '', bits = ''] = net.split('/');
    const list = new BlockList();
    list.addSubnet(from, Number(bits));
    return list.check(address);
  };
  const gateway = services.gateway?.networks?.default.ipv4_address;
  expect(inside(subnet, gateway)).toBe(true);
  expect(inside(range, gateway)).toBe(false);
  expect(2 ** (32 - Number(range.split('/')[1]))).toBeGreaterThan(2 * Object.keys(services).length);
});

test('compose is reached from this machine alone, and its gateway is the proxy that functions trust', () => {
  for (const [name, { ports = [] }] of Object.entries(services))
    for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  expect(services.gateway?.networks?.default.ipv4_address).toBe(services['commands-api']?.environment?.TRUSTED_PROXIES);
});

/** Method and path → who is asked by a Caddyfile; its handles are tried from the first to the last. */
function answeredBy(caddyfile: string, method: string, target: string): string | undefined {
  const matchers = new Map(
    [...caddyfile.matchAll(/^\s*(@\S+) \{\n\s*method (.*)\n(?:\s*path_regexp (.*)\n)?/gm)].map(
      ([, name = '', methods = '', pattern = '']) => [name, { methods: methods.split(' '), pattern }],
    ),
  );
  const handles = [...caddyfile.matchAll(/handle (@\S+ )?\{\n\s*reverse_proxy ([a-z-]+):8080\n/g)];
  return handles.find(([, name = '']) => {
    const matcher = matchers.get(name.trim());
    if (name === '') return true;
    return matcher?.methods.includes(method) && new RegExp(matcher.pattern).test(target);
  })?.[2];
}

test('the gateway of compose asks the function that has the route', async () => {
  const caddyfile = readFileSync(path.join(infra, 'compose/Caddyfile'), 'utf8');
  let routes = 0;
  for (const { name, source } of functions) {
    const { default: fn } = (await import(source)) as { default: Definition | HttpDefinition };
    for (const route of 'routes' in fn ? fn.routes() : []) {
      const target = route.path.replaceAll(/:\w+/g, '0d4c1f6e-0000-7000-8000-000000000000');
      expect(answeredBy(caddyfile, route.method, target), `${route.method} ${target}`).toBe(name);
      if (route.method === 'GET') expect(answeredBy(caddyfile, 'HEAD', target)).toBe(name);
      routes += 1;
    }
  }
  expect(routes).toBeGreaterThan(20);
});

test('a function with few routes answers those alone, and one with most also what nobody knows', () => {
  const route = (method: 'GET' | 'POST', at: string) => ({ method, path: at });
  const lines = caddyRoutes([
    { name: 'hooks', routes: [route('POST', '/v1/hooks/:id'), route('GET', '/v1/hooks')] },
    { name: 'reader', routes: [route('GET', '/v1/boxes'), route('GET', '/v1/boxes/:id')] },
    { name: 'writer', routes: [route('POST', '/v1/boxes'), route('POST', '/v1/boxes/:id/lids')] },
  ]);
  const ask = (method: string, target: string) => answeredBy(`${lines.join('\n')}\n`, method, target);
  expect(ask('POST', '/v1/hooks/1')).toBe('hooks');
  expect(ask('POST', '/v1/hooks/1/more')).toBe('writer');
  expect(ask('HEAD', '/v1/hooks')).toBe('hooks');
  expect(ask('GET', '/nowhere')).toBe('reader');
  expect(ask('DELETE', '/nowhere')).toBe('writer');
});
