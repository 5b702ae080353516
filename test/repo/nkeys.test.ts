import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { publicKeyOf } from '../../functions/runtime/jetstream/nkey.ts';
import { seedFileOf } from '../../scripts/platform/servers/nats/seeds.ts';
import { shopUsers } from '../../scripts/registry/nats-users/shop-users.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { millrace } from '../support/millrace.ts';

const outside = mkdtempSync(path.join(os.tmpdir(), 'millrace-nkeys-'));
const inside = path.join(repository, '.local', `nkeys-${process.pid}`);

afterAll(() => {
  for (const folder of [outside, inside]) rmSync(folder, { recursive: true, force: true });
});

const list = (folder: string): string => readFileSync(path.join(folder, 'nats-nkeys.env'), 'utf8');

test('every user gets a seed that only its owner can read, and a public key in the list', async () => {
  const { status, said } = millrace('nkeys', '--out', outside);
  expect(status).toBe(0);
  for (const { name } of await shopUsers()) {
    const file = seedFileOf(outside, name);
    expect(statSync(file).mode & 0o777, name).toBe(0o600);
    const line = `NKEY_${name.toUpperCase().replaceAll('-', '_')}=${publicKeyOf(file)}`;
    expect(list(outside)).toContain(`${line}\n`);
    expect(said).toContain(line);
    expect(said).not.toContain(readFileSync(file, 'utf8').trim());
  }
});

test('a seed that is there stays, one that is missing is made anew', () => {
  const before = list(outside);
  const kept = readFileSync(seedFileOf(outside, 'order-view'), 'utf8');
  rmSync(seedFileOf(outside, 'create-order'));
  expect(millrace('nkeys', '--out', outside).said).toContain('Seeds made: 1,');
  expect(readFileSync(seedFileOf(outside, 'order-view'), 'utf8')).toBe(kept);
  const changed = list(outside)
    .split('\n')
    .filter((line) => !before.includes(line));
  expect(changed).toEqual([expect.stringMatching(/^NKEY_CREATE_ORDER=U/)]);
});

test('a file that holds no seed is named, and stays', () => {
  const file = seedFileOf(outside, 'order-view');
  writeFileSync(file, 'SUSECRET');
  const { status, said } = millrace('nkeys', '--out', outside);
  expect(status).toBe(1);
  expect(said).toContain(`${file} holds no seed of an nkey`);
  expect(said).not.toContain('SUSECRET');
  expect(readFileSync(file, 'utf8')).toBe('SUSECRET');
});

test('a folder whose seeds could be committed is refused, one that git ignores is not', () => {
  const committable = path.join(repository, 'infra/nats/keys');
  const { status, said } = millrace('nkeys', '--out', committable);
  expect(status).toBe(2);
  expect(said).toContain('infra/nats/keys is in a git work tree and not ignored');
  expect(existsSync(committable)).toBe(false);
  const link = path.join(outside, 'link');
  symlinkSync(path.dirname(committable), link);
  expect(millrace('nkeys', '--out', path.join(link, 'keys')).status).toBe(2);
  expect(existsSync(committable)).toBe(false);
  expect(millrace('nkeys', '--out', inside).status).toBe(0);
});

test('the commands that it prints can be pasted, whatever the name of the folder', () => {
  const folder = path.join(outside, "the shop's keys");
  const { said } = millrace('nkeys', '--out', folder);
  const listed = /--from-env-file=(.*)/.exec(said)?.[1] ?? '';
  const seed = /--from-file=NATS_SEED=(.*)/.exec(said)?.[1] ?? '';
  const { stdout, stderr } = spawnSync('sh', ['-c', `user=nack; ls ${listed} ${seed}`], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toContain(seedFileOf(folder, 'nack'));
});
