import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fault, type Import, importsOf } from '../../scripts/registry/imports.ts';
import { repository } from '../../scripts/registry/repository.ts';

const FUNCTIONS = path.join(repository, 'functions');
async function imports(): Promise<Import[]> {
  const files = (await readdir(FUNCTIONS, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const found = await Promise.all(
    files.map(async (file) => importsOf(file, await readFile(path.join(FUNCTIONS, file), 'utf8'))),
  );
  return found.flat();
}

test('imports only point down, and into another context only at what it shows', async () => {
  const all = await imports();
  expect(all.length).toBeGreaterThan(50);
  expect(all.map(fault).filter(Boolean)).toEqual([]);
});

test.each([
  ['runtime/process/main.ts', 'orders/order.ts', 'upwards'],
  ['notifications/order-emails/function.ts', 'orders/order.ts', 'sees more'],
  ['api/commands-api/function.ts', 'orders/create-order/decide.ts', 'sees more'],
  ['orders/order-view/function.ts', 'orders/create-order/decide.ts', 'reaches into'],
  ['orders/order.ts', 'users/user-service/tokens.ts', 'sees more'],
])('the check finds that %s may not import %s', (from, to, why) => {
  expect(fault({ from, to })).toContain(why);
});

test('the client `nats` is imported in one module alone, and its keys in another', async () => {
  const files = (await readdir(repository, { recursive: true })).filter(
    (file) => /\.(ts|mjs)$/.test(file) && !/^(node_modules|dist|\.local)\//.test(file),
  );
  const users: string[] = [];
  for (const file of files)
    if (/from 'nats'|require\('nats'\)/.test(await readFile(path.join(repository, file), 'utf8'))) users.push(file);
  expect(users.filter((file) => !file.startsWith('test/repo')).sort()).toEqual([
    'functions/runtime/jetstream/connection.ts',
    'functions/runtime/jetstream/nkey.ts',
  ]);
});
