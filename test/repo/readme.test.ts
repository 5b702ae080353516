import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Definition } from '../../functions/runtime/function.ts';
import { listFunctions } from '../../scripts/build.ts';
import { repository } from '../../scripts/local/yaml-file.ts';

const read = (file: string): string => readFileSync(path.join(repository, file), 'utf8');

test('the table of functions lists every function, with its kind and all that it takes', async () => {
  const rows = [...read('functions/README.md').matchAll(/^\| `([a-z-]+)` \| (\w+) \| (.*?) \|/gm)];
  const functions = await Promise.all(
    (await listFunctions()).map(async ({ name, source }) => {
      const { default: definition } = (await import(source)) as { default: Definition };
      return { name, kind: definition.kind, consumes: definition.consumes };
    }),
  );
  expect(rows.map(([, name, kind]) => ({ name, kind })).sort((a, b) => `${a.name}`.localeCompare(`${b.name}`))).toEqual(
    functions.map(({ name, kind }) => ({ name, kind })),
  );
  for (const { name, consumes } of functions.filter(({ consumes }) => consumes.length > 0)) {
    const takes = rows.find(([, row]) => row === name)?.[3] ?? '';
    expect([...takes.matchAll(/`([^`]+)`/g)].map(([, type]) => type).sort(), name).toEqual([...consumes].sort());
  }
});

test.each(['README.md', 'functions/README.md', 'test/README.md'])('every link of %s leads to a file', (file) => {
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
