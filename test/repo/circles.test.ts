import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { circlesOf, roomOf } from '../../scripts/registry/circles.ts';
import { type Import, importsOf } from '../../scripts/registry/imports.ts';
import { repository } from '../../scripts/registry/repository.ts';

async function readImports(root: string): Promise<Import[]> {
  const files = (await readdir(path.join(repository, root), { recursive: true })).filter((file) =>
    /(?<!\.test|\.fixture)\.tsx?$/.test(file),
  );
  const found = files.map(async (name) => {
    const file = path.join(root, name);
    return importsOf(file, await readFile(path.join(repository, file), 'utf8'));
  });
  return (await Promise.all(found)).flat();
}

/** Those of the folder's files among each other. */
const within = (root: string, imports: readonly Import[]): Import[] =>
  imports.filter(({ from, to }) => [from, to].every((file) => file.startsWith(`${root}${path.sep}`)));

const functions = await readImports('functions');
const scripts = await readImports('scripts');

test('no files import each other in a circle', () => {
  expect(functions.length).toBeGreaterThan(500);
  expect(scripts.length).toBeGreaterThan(500);
  expect(circlesOf([...functions, ...scripts])).toEqual([]);
});

test('no rooms of the runtime import each other in a circle', () => {
  const root = 'functions/runtime';
  expect(circlesOf(within(root, functions), (file) => roomOf(root, file))).toEqual([]);
});

/** A room of scripts is one of its folders, or a folder of those. */
const scriptRoomOf = (file: string): string => file.split(path.sep).slice(1, -1).slice(0, 2).join('/') || file;

test('no rooms of scripts import each other in a circle, and none of them the one of the shop', () => {
  const own = within('scripts', scripts);
  expect(circlesOf(own, scriptRoomOf)).toEqual([]);
  const isOfShop = (file: string): boolean => scriptRoomOf(file).startsWith('shop');
  const intoShop = own.filter(({ from, to }) => isOfShop(to) && !isOfShop(from) && scriptRoomOf(from) !== from);
  expect(intoShop).toEqual([]);
});

test('a circle is found among files, by way of others too, and among rooms whose files make none', () => {
  const planted = [
    { from: 'a/one.ts', to: 'b/two.ts' },
    { from: 'b/three.ts', to: 'c.ts' },
    { from: 'c.ts', to: 'a/four.ts' },
    { from: 'a/four.ts', to: 'a/five.ts' },
  ];
  expect(circlesOf(planted)).toEqual([]);
  expect(circlesOf(planted, (file) => roomOf('', file))).toEqual([['a', 'b', 'c.ts']]);
  const more = [...planted, { from: 'a/five.ts', to: 'b/three.ts' }];
  expect(circlesOf(more)).toEqual([['a/five.ts', 'a/four.ts', 'b/three.ts', 'c.ts']]);
});
