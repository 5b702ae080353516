import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { filePath, setting } from '../../functions/runtime/settings.ts';
import { keptKeySet } from '../../functions/users/kept-keys.ts';
import { openKeyKeeper } from '../../functions/users/user-service/key-keeper.ts';
import {
  jwksAt,
  openSigningKeys,
  parseSigningKeys,
  signerAt,
} from '../../functions/users/user-service/signing-keys.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { startBackends } from '../support/backends.ts';
import { testShell } from '../support/shell.ts';
import { until } from '../support/until.ts';
import { newSigningKey } from '../support/user-service-fixture.ts';

const newJwk = () => JSON.parse(newSigningKey());
const setOf = (...keys: object[]): string => JSON.stringify({ keys });

describe('a file that changes', () => {
  /** A file as Kubernetes mounts it: a symbolic link, which is turned to another file. */
  async function mounted() {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-keys-'));
    const file = path.join(folder, 'key.json');
    let version = 0;
    const mount = async (content: string): Promise<void> => {
      version += 1;
      await writeFile(path.join(folder, `v${version}`), content);
      await symlink(`v${version}`, `${file}.new`);
      await rename(`${file}.new`, file);
    };
    await mount(newSigningKey());
    const { shell, close } = testShell({ SIGNING_KEY_FILE: setting('keys', filePath) }, { SIGNING_KEY_FILE: file });
    const said: object[] = [];
    const log = { ...shell.log, error: (fields: object) => void said.push(fields) };
    const keys = await openSigningKeys({ ...shell, log }, 5);
    onTestFinished(async () => {
      await close();
      await rm(folder, { recursive: true });
    });
    return { mount, keys, said, remove: () => rm(file) };
  }

  test('is read again', async () => {
    const { mount, keys } = await mounted();
    const [before] = keys();
    await mount(setOf(newJwk(), newJwk()));
    await until('the new keys', () => keys().length === 2);
    expect(keys()).not.toContain(before);
  });

  test('into a broken one leaves the old keys, and is said once, without its content', async () => {
    const { mount, keys, said, remove } = await mounted();
    const before = keys();
    await mount('{"secret": ');
    await until('a complaint', () => said.length > 0);
    await remove();
    await until('another complaint', () => said.length > 1);
    expect(keys()).toBe(before);
    expect(said).toHaveLength(2);
    expect(JSON.stringify(said)).not.toContain('secret');
    await mount(setOf(newJwk(), newJwk()));
    await until('the new keys', () => keys().length === 2);
  });
});

test('the public keys are kept in Postgres, without their private parts, and again when they change', async () => {
  const backends = await startBackends();
  const { shell, close } = testShell({}, {});
  onTestFinished(async () => {
    await close();
    await backends.stop();
  });
  let keys = await parseSigningKeys(setOf(newJwk(), newJwk()));
  expect(await keptKeySet(backends.database)).toBeUndefined();
  openKeyKeeper(shell, backends.database, () => keys, 5);
  await until('the keys', async () => (await keptKeySet(backends.database)) === jwksAt(keys, new Date()));
  keys = await parseSigningKeys(newSigningKey());
  await until('the changed keys', async () => (await keptKeySet(backends.database)) === jwksAt(keys, new Date()));
  const { rows } = await backends.database.query('select jwks from signing_keys');
  expect(rows).toHaveLength(1);
  expect(Object.keys(rows[0].jwks.keys[0]).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
});

describe('npx millrace rotate-signing-key', () => {
  const millrace = (...args: string[]) =>
    spawnSync(path.join(repository, 'scripts/millrace.mjs'), ['rotate-signing-key', ...args], { encoding: 'utf8' });

  /** A file with one key, and the keys that a service has of it. */
  async function keyFile() {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-keys-'));
    const file = path.join(folder, 'key.json');
    await writeFile(file, newSigningKey(), { mode: 0o644 });
    const { shell, close } = testShell({ SIGNING_KEY_FILE: setting('keys', filePath) }, { SIGNING_KEY_FILE: file });
    const keys = await openSigningKeys(shell, 5);
    onTestFinished(async () => {
      await close();
      await rm(folder, { recursive: true });
    });
    return { file, keys };
  }
  const fromNow = (minutes: number): Date => new Date(Date.now() + minutes * 60_000);

  test('lets a running service sign by a fresh key after 15 minutes, and verify by the old one as well', async () => {
    const { file, keys } = await keyFile();
    const [old] = keys();
    const { status, stdout } = millrace('--file', file);
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('2 keys verify, 0 dropped'),
    });
    await until('the fresh key', () => keys().length === 2);
    expect(signerAt(keys(), fromNow(14)).kid).toBe(old?.kid);
    expect(signerAt(keys(), fromNow(16)).kid).toBe(keys()[0]?.kid);
    expect(stdout).toContain(keys()[0]?.kid);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    for (const { d } of JSON.parse(await readFile(file, 'utf8')).keys) expect(stdout).not.toContain(d);
  });

  test('--stolen leaves the fresh key alone', async () => {
    const { file, keys } = await keyFile();
    const [old] = keys();
    const { status, stdout } = millrace('--file', file, '--stolen');
    expect(status).toBe(0);
    expect(stdout).toContain('for up to 60 s more');
    await until('the fresh key', () => keys()[0]?.kid !== old?.kid);
    expect(keys()).toHaveLength(1);
    expect(signerAt(keys(), new Date()).kid).toBe(keys()[0]?.kid);
  });

  test('leaves a file alone that is none, and does not show what is in it', async () => {
    const { file } = await keyFile();
    await writeFile(file, '{"secret": 1}');
    const { status, stdout, stderr } = millrace('--file', file);
    expect(status).toBe(1);
    expect(stderr).toContain('SIGNING_KEY_FILE does not hold a private Ed25519 key');
    expect(stdout + stderr).not.toContain('secret');
    expect(await readFile(file, 'utf8')).toBe('{"secret": 1}');
  });
});
