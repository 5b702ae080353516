/** `millrace nkeys`: an nkey for every user of NATS, seeds into a folder that no commit can reach, and what to do with them. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../../cli/cli.ts';
import { makeNkeys, PUBLIC_KEYS, SEED, seedFileOf } from '../../platform/servers/nats/seeds.ts';
import { shopUsers } from '../../registry/nats-users/shop-users.ts';
import { shown } from '../../registry/repository.ts';

function readFolder(args: readonly string[]): string {
  const [option, folder, ...more] = args;
  if (option !== undefined && option !== '--out') throw new UsageError(`there is no option ${option}`);
  if (!folder) throw new UsageError('--out needs the folder for the seeds');
  if (more.length > 0) throw new UsageError(`there is no option ${more.join(' ')}`);
  return path.resolve(folder);
}

/** The folder as it is without symbolic links, which git does not follow. */
function real(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : path.join(real(path.dirname(folder)), path.basename(folder));
}

const nearest = (folder: string): string => (existsSync(folder) ? folder : nearest(path.dirname(folder)));

/** As one word of a shell. */
const quoted = (word: string): string => (/^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

const holds = (folder: string, name: string): boolean =>
  existsSync(path.join(folder, name)) || (path.dirname(folder) !== folder && holds(path.dirname(folder), name));

/** True when a seed in the folder could be committed: it is in a work tree, and git does not say that it is ignored. */
function isCommittable(folder: string): boolean {
  const from = nearest(folder);
  if (!holds(from, '.git')) return false;
  return spawnSync('git', ['-C', from, 'check-ignore', '-q', seedFileOf(folder, 'any')]).status !== 0;
}

export async function nkeysCommand(args: readonly string[]): Promise<void> {
  const folder = readFolder(args);
  if (isCommittable(real(folder)))
    throw new UsageError(`${shown(folder)} is in a git work tree and not ignored: seeds must never be committed`);
  const users = (await shopUsers()).map(({ name }) => name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { made, environment } = makeNkeys(folder, users);
  for (const [name, key] of Object.entries(environment)) console.log(`${name}=${key}`);
  console.log(`
Seeds made: ${made.length}, kept: ${users.length - made.length}. Public keys, for nats-server's environment (then restart it):
  kubectl -n <nats> create configmap nats-nkeys --from-env-file=${quoted(path.join(folder, PUBLIC_KEYS))}
A secret each, for NATS_SEED_FILE:
  for user in ${users.join(' ')}; do
    kubectl -n <shop> create secret generic "$user-nats" --from-file=${SEED}=${quoted(folder)}/"$user"/${SEED}
  done
Then keep the folder where secrets are kept, or remove it.`);
}
