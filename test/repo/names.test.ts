/** The framework knows no name of a context: what runtime, knative/base and the rooms of scripts say holds for any application. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readContexts } from '../../scripts/registry/contexts.ts';
import { readDefinitions } from '../../scripts/registry/functions.ts';
import { namesIn, namesOf } from '../../scripts/registry/names.ts';
import { repository } from '../../scripts/registry/repository.ts';

/** Not held yet. */
const PENDING = [];

const files = execFileSync('git', ['ls-files', 'functions/runtime', 'knative/base', 'scripts'], {
  cwd: repository,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && !file.startsWith('scripts/shop/'));
const read = (file: string): string => readFileSync(path.join(repository, file), 'utf8');

const declaration = /\b([A-Z][A-Z0-9_]*): (?:setting|optionalSetting|secretSetting)\(/g;
const frameworkSettings = new Set(
  files
    .filter((file) => file.startsWith('functions/runtime/') && !file.endsWith('.test.ts'))
    .flatMap((file) => [...read(file).matchAll(declaration)].map(([, name = '']) => name)),
);
const names = namesOf(await readContexts(), await readDefinitions(), frameworkSettings);

test('there are names to look for', () => {
  console.log(JSON.stringify(names));
});

test('x', () => {
  for (const file of files) { const f = namesIn(read(file), names); if (f.length) console.log(file, f.join(' | ')); }
});
