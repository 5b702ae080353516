import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listFunctions } from '../../scripts/registry/functions.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { buildFunctions } from '../../scripts/ship/build.ts';

const SOURCES = ['package.json', 'tsconfig.json', 'functions', 'scripts/build.ts', 'scripts/registry', 'scripts/ship'];
type Component = { name: string; version: string; purl: string; licenses?: object[] };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-bundle-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What a build of `names` in a copy of the sources leaves in dist/: path → content. */
function builtIn(copy: string, ...names: string[]): Record<string, string> {
  for (const source of SOURCES) cpSync(path.join(repository, source), path.join(copy, source), { recursive: true });
  symlinkSync(realpathSync(path.join(repository, 'node_modules')), path.join(copy, 'node_modules'));
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.ts', ...names], {
    cwd: copy,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const dist = path.join(copy, 'dist');
  const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const file = path.join(parentPath, name);
      return [path.relative(dist, file), readFileSync(file, 'latin1')];
    }),
  );
}

const componentsOf = (name: string): Component[] =>
  JSON.parse(readFileSync(path.join(repository, 'dist', name, 'sbom.cdx.json'), 'utf8')).components;

test('the same source gives the same bytes in whatever folder and company it is built, and names no folder', () => {
  const one = builtIn(path.join(folder, 'one'), 'create-order', 'user-service');
  const other = builtIn(path.join(folder, 'another/and/deeper'), 'create-order', 'user-service');
  expect(Object.keys(one)).toContain('create-order/main.cjs.map');
  expect(Object.keys(other)).toEqual(Object.keys(one));
  const alone = builtIn(path.join(folder, 'alone'), 'create-order');
  for (const file of ['index.cjs', 'main.cjs', 'framework.cjs']) {
    const together = readFileSync(path.join(repository, 'dist/create-order', file), 'latin1');
    expect(together === one[`create-order/${file}`], file).toBe(true);
    expect(together === alone[`create-order/${file}`], file).toBe(true);
  }
  for (const [file, content] of Object.entries(one)) {
    expect(content === other[file], file).toBe(true);
    for (const place of [folder, realpathSync(path.join(repository, 'node_modules'))])
      expect(content.includes(place), `${file} names ${place}`).toBe(false);
  }
});

test('a function is built of its own sources and those that it imports', async () => {
  const [bundle] = await buildFunctions(['create-order']);
  expect(bundle?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(bundle?.contents.sources).toEqual(
    expect.arrayContaining(['functions/orders/create-order/decide.ts', 'functions/runtime/jetstream/connection.ts']),
  );
  expect(bundle?.contents.sources).not.toContain('functions/orders/pay-order/decide.ts');
  expect(bundle?.contents.packages).toEqual(expect.arrayContaining(['node_modules/pg', 'node_modules/nats']));
});

test('what cannot be bundled lies beside the bundle that loads it, and only there', () => {
  const beside = path.join(repository, 'dist/user-service/node_modules/@node-rs');
  expect(readdirSync(beside)).toContain('argon2');
  expect(readdirSync(beside).length).toBeGreaterThan(1);
  expect(readdirSync(path.join(repository, 'dist/create-order')).sort()).toEqual([
    'framework.cjs',
    'framework.cjs.map',
    'index.cjs',
    'main.cjs',
    'main.cjs.map',
    'sbom.cdx.json',
  ]);
});

test('the bill of materials lists what is in the bundle, at the versions of the lock file, and nothing else', () => {
  const lock = JSON.parse(readFileSync(path.join(repository, 'package-lock.json'), 'utf8')).packages;
  const components = componentsOf('create-order');
  for (const name of ['pg', 'nats', 'zod'])
    expect(components, name).toContainEqual(
      expect.objectContaining({
        name,
        version: lock[`node_modules/${name}`].version,
        purl: `pkg:npm/${name}@${lock[`node_modules/${name}`].version}`,
        licenses: [{ license: { id: lock[`node_modules/${name}`].license } }],
      }),
    );
  const names = components.map(({ name }) => name);
  expect(names).not.toContain('nodemailer');
  expect(names).not.toContain('esbuild');
  expect(componentsOf('order-emails').map(({ name }) => name)).toContain('nodemailer');
  expect(componentsOf('user-service').map(({ name }) => name)).toContain('@node-rs/argon2');
});

test('what instrumentations patch lies beside user-service alone, with all that it needs, and in its bill', () => {
  const beside = path.join(repository, 'dist/user-service/node_modules');
  const names = componentsOf('user-service').map(({ name }) => name);
  for (const name of ['pg', 'pg-pool', '@grpc/grpc-js', 'protobufjs']) {
    expect(existsSync(path.join(beside, name, 'package.json')), name).toBe(true);
    expect(names, name).toContain(name);
  }
  expect(names).toEqual(
    expect.arrayContaining(['@opentelemetry/auto-instrumentations-node', '@opentelemetry/sdk-trace']),
  );
  expect(readFileSync(path.join(repository, 'dist/user-service/main.cjs'), 'utf8')).not.toContain(
    '// node_modules/pg/',
  );
  const others = componentsOf('order-emails').map(({ name }) => name);
  expect(others).toContain('@opentelemetry/sdk-trace');
  expect(others).not.toContain('@opentelemetry/auto-instrumentations-node');
});

test('of OpenTelemetry a function has what it uses, once', () => {
  const bundle = readFileSync(path.join(repository, 'dist/create-order/main.cjs'), 'utf8');
  const files = [...bundle.matchAll(/^\/\/ node_modules\/@opentelemetry\/(\S+)$/gm)].map(([, file = '']) => file);
  expect(files).toContain('sdk-trace/dist/TracerProvider.mjs');
  expect(files.filter((file) => file.endsWith('.cjs'))).toEqual([]);
});

test('each component of a bill of materials is named once', async () => {
  for (const { name } of await listFunctions()) {
    const purls = componentsOf(name).map(({ purl }) => purl);
    expect(new Set(purls).size, name).toBe(purls.length);
  }
});
