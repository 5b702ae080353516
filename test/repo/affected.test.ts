import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listFunctions } from '../../scripts/registry/functions.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { foldersOf, packagesDiffer, placesDiffer } from '../../scripts/ship/affected/compare.ts';

const FILES = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'README.md',
  'Dockerfile',
  '.dockerignore',
  '.gitignore',
];
const KEPT = ['account-emails', 'create-order', 'order-emails', 'order-view'];
const FOLDERS = ['functions', 'scripts', 'knative'];
let folder: string;
let copy: string;

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@shop.example', ...args], {
    cwd: copy,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
const linkModules = (to: string): void =>
  symlinkSync(realpathSync(path.join(repository, 'node_modules')), path.join(to, 'node_modules'));
const change = (file: string, from: string | RegExp, to: string): void => {
  const text = readFileSync(path.join(copy, file), 'utf8');
  const changed = text.replace(from, to);
  expect(changed, file).not.toBe(text);
  writeFileSync(path.join(copy, file), changed);
};

function affected(place: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = ['scripts/millrace.ts', 'affected', ...args];
  return spawnSync(process.execPath, command, { cwd: place, encoding: 'utf8' });
}

/** The repository, with a few functions: enough to be told apart. */
async function copyTo(place: string): Promise<void> {
  for (const one of [...FILES, ...FOLDERS])
    cpSync(path.join(repository, one), path.join(place, one), { recursive: true });
  for (const { name, source } of await listFunctions())
    if (!KEPT.includes(name)) rmSync(path.join(place, path.relative(repository, source)));
  linkModules(place);
}

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'millrace-affected-test-'));
  copy = path.join(folder, 'copy');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('In a checkout', () => {
  beforeEach(async () => {
    await copyTo(copy);
    git('init', '--quiet');
    git('add', ...FILES, ...FOLDERS);
    git('commit', '--quiet', '--message', 'as it is');
  });

  test('a change in the folder of a function lists it alone, and one of its manifests as that', () => {
    change('functions/orders/create-order/decide.ts', "'out-of-stock'", "'sold-out'");
    appendFileSync(path.join(copy, 'knative/functions/order-view/scaledobject.yaml'), '# another\n');
    const { stdout, status } = affected(copy, '--since', 'HEAD', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      include: [
        { function: 'create-order', why: ['bundle'] },
        { function: 'order-view', why: ['manifests'] },
      ],
    });
  });

  test('a change of what functions share lists those that are built on it', () => {
    change('functions/runtime/notifying/handler.ts', "'delivery-too-slow'", "'delivery-too-late'");
    const { stdout } = affected(copy, '--since', 'HEAD');
    expect(stdout).toBe('account-emails     bundle\norder-emails       bundle\n');
  });

  test('a change of words lists nothing', () => {
    appendFileSync(path.join(copy, 'README.md'), 'More.\n');
    appendFileSync(path.join(copy, 'knative/README.md'), 'More.\n');
    change('functions/notifications/email.ts', /^/, '/** More. */\n');
    expect(affected(copy, '--since', 'HEAD').stdout).toBe('nothing is to be deployed since HEAD\n');
  });

  test.each([
    [['--since', 'mian'], "there is no commit 'mian', give a branch, a tag or a commit that this clone has"],
    [['--since', '--output=x'], "--since' argument is ambiguous"],
    [['--since=--output=x'], "there is no commit '--output=x'"],
    [[], 'since when? --since takes a branch'],
    [['--since', 'HEAD', '--yaml'], "Unknown option '--yaml'"],
  ])('affected %j says what is wrong', (args, says) => {
    const { status, stderr } = affected(copy, ...args);
    expect(stderr).toContain(says);
    expect(status).toBe(2);
  });

  test('a shallow clone says how to get the rest', () => {
    const first = git('rev-parse', 'HEAD').trim();
    git('commit', '--quiet', '--allow-empty', '--message', 'another');
    const shallow = path.join(folder, 'shallow');
    git('clone', '--quiet', '--depth', '1', `file://${copy}`, shallow);
    linkModules(shallow);
    expect(affected(shallow, '--since', first).stderr).toContain('this clone is shallow: git fetch --unshallow');
  });
});

test('without git there is no past to compare with', async () => {
  await copyTo(copy);
  const { status, stderr } = affected(copy, '--since', 'HEAD');
  expect(stderr).toContain(`${copy} is no git checkout`);
  expect(status).toBe(1);
});

describe('Two folders', () => {
  const [then, now] = ['then', 'now'];
  const put = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  };
  const differ = (...places: string[]): boolean =>
    placesDiffer(path.join(folder, then), path.join(folder, now), places);

  test('a kustomization is followed to the components that it names, and theirs', () => {
    put('now/functions/a/kustomization.yaml', 'resources: [hpa.yaml, ../shared]\ncomponents: [../../base/service]\n');
    put('now/base/service/kustomization.yaml', 'components: [../tls]\n');
    put('now/base/tls/kustomization.yaml', 'patches: []\n');
    put('now/functions/shared/all.yaml', '');
    const root = path.join(folder, now);
    expect(foldersOf(root, 'functions/a')).toEqual(['base/service', 'base/tls', 'functions/a', 'functions/shared']);
    expect(foldersOf(root, 'functions/a', false)).not.toContain('functions/shared');
  });

  test('a file that is changed, new or gone is a difference; one elsewhere is none', () => {
    for (const side of [then, now]) put(`${side}/base/a/same.yaml`, 'same');
    put('now/base/b/new.yaml', '');
    put('then/base/c/old.yaml', '');
    for (const side of [then, now]) put(`${side}/base/d/file.yaml`, side);
    expect(['base/a', 'base/b', 'base/c', 'base/d', 'nowhere'].map((place) => differ(place))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  test('another version of a package counts for the bundles that have it', () => {
    const lockOf = (version: string) =>
      JSON.stringify({ packages: { 'node_modules/pg': { version }, 'node_modules/nats': { version: '1' } } });
    put('then/package-lock.json', lockOf('1'));
    put('now/package-lock.json', lockOf('2'));
    const changed = packagesDiffer(path.join(folder, then), path.join(folder, now));
    expect(changed(['node_modules/nats', 'node_modules/pg'])).toBe(true);
    expect(changed(['node_modules/nats'])).toBe(false);
  });
});
