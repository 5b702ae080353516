/** The framework knows no name of a context: what runtime, knative/base and the rooms of scripts say holds for any application. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readContexts } from '../../scripts/registry/contexts.ts';
import { readDefinitions } from '../../scripts/registry/functions.ts';
import { namesIn, namesOf } from '../../scripts/registry/names.ts';
import { repository } from '../../scripts/registry/repository.ts';

const HELD = ['functions/runtime', 'knative/base', 'scripts'];
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...HELD], { cwd: repository })
  .toString()
  .split('\n')
  .filter((file) => !file.startsWith('scripts/shop/') && existsSync(path.join(repository, file)) && file !== '');
const read = (file: string): string => readFileSync(path.join(repository, file), 'utf8');

const declaration = /\b([A-Z][A-Z0-9_]*): (?:setting|optionalSetting|secretSetting)\(/g;
const frameworkSettings = new Set(
  files
    .filter((file) => file.startsWith('functions/runtime/') && !file.endsWith('.test.ts'))
    .flatMap((file) => [...read(file).matchAll(declaration)].map(([, name = '']) => name)),
);
const names = namesOf(await readContexts(), await readDefinitions(), frameworkSettings);
const found = files.flatMap((file) => namesIn(read(file), names).map((name) => ({ file, name })));

test('only scripts/shop, tests and the contexts themselves say the names of contexts', () => {
  expect(found.map(({ file, name }) => `${file}:${name}`)).toEqual([]);
});

test('names are those of the shop, and none of the framework', () => {
  const all = [...names.words, ...names.quoted];
  const ofTheShop = [
    'create-order',
    'webhooks',
    'order.created',
    'command.order.create',
    'ORDERS',
    'orderId',
    'SMTP_URL',
  ];
  expect(all).toEqual(expect.arrayContaining([...ofTheShop, 'orders', 'order_view']));
  expect(names.contexts).toEqual(expect.arrayContaining(['api', 'orders']));
  expect(all.filter((name) => ['outbox-relay', 'outbox', 'userId', 'COMMANDS', 'RETRIES'].includes(name))).toEqual([]);
  expect(all.filter((name) => frameworkSettings.has(name))).toEqual([]);
  expect(frameworkSettings).toContain('NATS_URL');
});

test('a name that is planted into a held file is found', () => {
  const [held = ''] = files.filter((file) => file.endsWith('.ts'));
  expect(namesIn(read(held), names)).toEqual([]);
  expect(namesIn(`const planted = 'create-order';\n${read(held)}`, names)).toEqual(['1: create-order']);
});
