import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
let caches: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-loader-'));
  caches = path.join(folder, 'caches');
  mkdirSync(caches);
  copyFileSync(path.join(import.meta.dirname, 'loader.cjs'), path.join(folder, 'index.cjs'));
  writeFileSync(path.join(folder, 'main.cjs'), `(function () { const say = () => console.log('ran');\nsay(); })`);
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (cache = caches): string =>
  execFileSync(process.execPath, [path.join(folder, 'index.cjs')], {
    env: { NODE_COMPILE_CACHE: cache },
    encoding: 'utf8',
  });
const kept = (): string => {
  const [file = ''] = readdirSync(caches).filter((name) => name.includes('@digest'));
  return path.join(caches, file);
};

test('what was compiled is kept, and taken by the next start', () => {
  expect(run()).toBe('ran\n');
  const { ino } = statSync(kept());
  expect(run()).toBe('ran\n');
  expect(statSync(kept()).ino).toBe(ino);
});

test('what V8 does not take is made anew', () => {
  run();
  const { size } = statSync(kept());
  writeFileSync(kept(), 'spoilt');
  expect(run()).toBe('ran\n');
  expect(statSync(kept()).size).toBe(size);
});

test('without a place to keep it the function runs', () => {
  expect(run('')).toBe('ran\n');
  expect(run(path.join(folder, 'index.cjs'))).toBe('ran\n');
});
