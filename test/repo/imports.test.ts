import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readContexts } from '../../scripts/registry/contexts.ts';
import { circlesOfContexts, fault, type Import, importsOf } from '../../scripts/registry/imports.ts';
import { repository } from '../../scripts/registry/repository.ts';

const FUNCTIONS = path.join(repository, 'functions');
const contexts = await readContexts();

async function imports(): Promise<Import[]> {
  const files = (await readdir(FUNCTIONS, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const found = await Promise.all(
    files.map(async (file) => importsOf(file, await readFile(path.join(FUNCTIONS, file), 'utf8'))),
  );
  return found.flat();
}

test('imports only point down: into the runtime at its root, and into another context at what it exports', async () => {
  const all = await imports();
  expect(all.length).toBeGreaterThan(50);
  expect(all.map((one) => fault(one, contexts)).filter(Boolean)).toEqual([]);
});

test('contexts do not import each other in a circle', async () => {
  expect(circlesOfContexts(await imports())).toEqual([]);
  const planted = [
    { from: 'orders/a.ts', to: 'users/b.ts' },
    { from: 'users/c.ts', to: 'api/d.ts' },
    { from: 'api/d.ts', to: 'orders/e.ts' },
    { from: 'api/d.ts', to: 'runtime/f.ts' },
  ];
  expect(circlesOfContexts(planted)).toContain('orders → users → api → orders');
});

test.each([
  ['runtime/process/main.ts', 'orders/order.ts', 'upwards'],
  ['notifications/order-emails/function.ts', 'orders/order.ts', 'sees more'],
  ['api/commands-api/function.ts', 'orders/create-order/decide.ts', 'sees more'],
  ['orders/order-view/function.ts', 'orders/create-order/decide.ts', 'reaches into'],
  ['orders/order.ts', 'users/user-service/tokens.ts', 'sees more'],
  ['orders/order.ts', 'runtime/store/append.ts', 'inside of the runtime'],
])('the check finds that %s may not import %s', (from, to, why) => {
  expect(fault({ from, to }, contexts)).toContain(why);
});

test('the client `nats` is imported in one module alone', async () => {
  const files = (await readdir(repository, { recursive: true })).filter(
    (file) => /\.(ts|mjs)$/.test(file) && !/^(node_modules|dist|\.local)\//.test(file),
  );
  const users: string[] = [];
  for (const file of files)
    if (/from 'nats'|require\('nats'\)/.test(await readFile(path.join(repository, file), 'utf8'))) users.push(file);
  expect(users.filter((file) => !file.startsWith('test/repo')).sort()).toEqual([
    'functions/runtime/jetstream/client.ts',
  ]);
});
