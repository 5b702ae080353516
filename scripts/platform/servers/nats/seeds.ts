/** A folder and names of users → an nkey for each that has none yet: its seed in a file for it alone, its public key in a list. */
import { existsSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { newSeed, publicKeyOf } from '../../../../functions/runtime/jetstream/nkey.ts';
import { variableOf } from '../../../registry/nats-users/accounts-conf.ts';

/** The name of the file, and of the key in a Kubernetes Secret. */
export const SEED = 'NATS_SEED';
export const PUBLIC_KEYS = 'nats-nkeys.env';

export const seedFileOf = (folder: string, user: string): string => path.join(folder, user, SEED);

/** Linked into place: a seed that is there is never replaced, and one is there as a whole or not at all. */
function makeSeed(file: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}.new`;
  writeFileSync(fresh, `${newSeed()}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(fresh, file);
  } finally {
    rmSync(fresh);
  }
}

function publicKeyIn(file: string): string {
  try {
    return publicKeyOf(file);
  } catch {
    throw new Error(`${file} holds no seed of an nkey; remove it, and a new one is made`);
  }
}

/** `made` are the users whose seed is new; `environment` has all public keys, under the names that accounts.conf gives them. */
export type Nkeys = { readonly made: readonly string[]; readonly environment: Readonly<Record<string, string>> };

export function makeNkeys(folder: string, users: readonly string[]): Nkeys {
  const made = users.filter((user) => !existsSync(seedFileOf(folder, user)));
  for (const user of made) makeSeed(seedFileOf(folder, user));
  const environment = Object.fromEntries(
    users.map((user) => [variableOf(user), publicKeyIn(seedFileOf(folder, user))]),
  );
  const list = path.join(folder, PUBLIC_KEYS);
  const lines = Object.entries(environment).map(([name, key]) => `${name}=${key}\n`);
  writeFileSync(`${list}.new`, lines.join(''));
  renameSync(`${list}.new`, list);
  return { made, environment };
}
