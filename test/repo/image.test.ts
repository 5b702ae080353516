import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { listFunctions } from '../../scripts/registry/functions.ts';
import { repository } from '../../scripts/registry/repository.ts';

type Instruction = { readonly name: string; readonly rest: string };

const instructions: Instruction[] = readFileSync(path.join(repository, 'Dockerfile'), 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter(Boolean)
  .map((line) => {
    const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    return { name, rest };
  });
const last = instructions.findLastIndex(({ name }) => name === 'FROM');
const [building, final] = [instructions.slice(0, last), instructions.slice(last)];
const all = (name: string, from = instructions): string[] =>
  from.filter((one) => one.name === name).map(({ rest }) => rest);
const copied = all('COPY', building).flatMap((rest) => rest.split(' ').slice(0, -1));

test('the Dockerfile copies only what there is, and .dockerignore lets it through', () => {
  const letThrough = readFileSync(path.join(repository, '.dockerignore'), 'utf8').split('\n');
  expect(letThrough).toContain('*');
  expect(copied).toContain('functions');
  for (const source of copied) {
    expect(existsSync(path.join(repository, source)), source).toBe(true);
    expect(letThrough).toContain(`!${source}`);
  }
});

test('an image has one function, which an argument names', () => {
  expect(all('ARG', building)).toContain('FUNCTION');
  expect(all('RUN', building).join()).toContain('node scripts/build.ts "$FUNCTION"');
  expect(all('COPY', final)).toEqual(['--from=build /app ./', '--from=build --chown=65532:65532 /cache .cache']);
});

test('dependencies are those of the lock file, and none of their scripts runs', () => {
  expect(all('RUN', building)[0]).toBe('npm ci --ignore-scripts');
});

test('a container is nobody, and begins with node itself, whom its signals reach', () => {
  expect(all('FROM', final)).toEqual(['gcr.io/distroless/nodejs24-debian12:nonroot']);
  expect(all('USER', final)).toEqual(['65532:65532']);
  expect(all('CMD', final)).toEqual(['["index.cjs"]']);
  expect(all('ENTRYPOINT', final)).toEqual([]);
});

test('what makes the compile cache has the user, folder and variable of what reads it', () => {
  const names = final.map(({ name }) => name);
  expect(all('ENV', final)).toEqual(['NODE_ENV=production NODE_COMPILE_CACHE=/app/.cache']);
  expect(all('WORKDIR', final)).toEqual(['/app']);
  expect(names.indexOf('RUN')).toBeGreaterThan(Math.max(names.indexOf('USER'), names.indexOf('ENV')));
  expect(all('RUN', final)[0]).toMatch(
    /^--mount=\S+ \["\/nodejs\/bin\/node", "\/warm-up\/warm-up.cjs", "index.cjs"\]$/,
  );
});

test('every function starts with stand-ins for its servers, ends at SIGTERM and leaves a compile cache', async () => {
  const caches = mkdtempSync(path.join(os.tmpdir(), 'millrace-cache-'));
  const warmUp = path.join(repository, 'scripts/shop/warm-up/warm-up.cjs');
  const warm = async (name: string): Promise<void> => {
    const NODE_COMPILE_CACHE = path.join(caches, name);
    const TMPDIR = mkdtempSync(path.join(caches, 'tmp-'));
    const options = { cwd: path.join(repository, 'dist', name), env: { NODE_COMPILE_CACHE, TMPDIR } };
    const { stdout } = await promisify(execFile)(process.execPath, [warmUp, 'index.cjs'], options);
    expect(stdout, name).toContain('"msg":"drained"');
    const files = readdirSync(NODE_COMPILE_CACHE, { recursive: true, withFileTypes: true });
    expect(files.filter((file) => file.isFile()).length, name).toBeGreaterThanOrEqual(2);
    expect(readdirSync(TMPDIR), `a key of ${name} stays`).toEqual([]);
  };
  await Promise.all((await listFunctions()).map(({ name }) => warm(name)));
  rmSync(caches, { recursive: true });
});
