import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../../scripts/local/yaml-file.ts';

const FUNCTIONS = path.join(repository, 'functions');
const FLOORS = [
  ['api', 'notifications', 'platform'],
  ['orders', 'users'],
  ['runtime', 'gen'],
];
/** What a context shows to others: its published events and commands, its typed client, its catalogue, its tokens and keys. */
const SHOWN = /^(events|commands|client|products|access-token|kept-keys)\.ts$/;

const floorOf = (context: string): number => FLOORS.findIndex((floor) => floor.includes(context));

type Import = { readonly from: string; readonly to: string };

async function imports(): Promise<Import[]> {
  const files = (await readdir(FUNCTIONS, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const found = await Promise.all(
    files.map(async (file) => {
      const source = await readFile(path.join(FUNCTIONS, file), 'utf8');
      const targets = [...source.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, target = '']) => target);
      return targets.map((target) => ({ from: file, to: path.join(path.dirname(file), target) }));
    }),
  );
  return found.flat();
}

/** Why an import is not allowed, or undefined. */
function fault({ from, to }: Import): string | undefined {
  const [fromContext = '', fromFunction = ''] = from.split(path.sep);
  const [toContext = '', ...rest] = to.split(path.sep);
  const [toFunction = ''] = rest;
  if (fromContext === toContext) {
    const isFolder = (name: string) => !name.endsWith('.ts');
    const outside = isFolder(toFunction) && toFunction !== fromFunction && floorOf(fromContext) < 2;
    return outside && !from.endsWith('.test.ts') ? `${from} reaches into the function ${to}` : undefined;
  }
  if (floorOf(toContext) < floorOf(fromContext)) return `${from} imports upwards: ${to}`;
  if (floorOf(toContext) === 2) return undefined;
  if (rest.length === 1 && SHOWN.test(toFunction)) return undefined;
  return `${from} sees more of ${toContext} than it shows: ${to}`;
}

test('imports only point down, and into another context only at what it shows', async () => {
  const all = await imports();
  expect(all.length).toBeGreaterThan(50);
  expect(all.map(fault).filter(Boolean)).toEqual([]);
});

test.each([
  ['runtime/main.ts', 'orders/order.ts', 'upwards'],
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
    'functions/runtime/bus.ts',
    'functions/runtime/nkey.ts',
  ]);
});
