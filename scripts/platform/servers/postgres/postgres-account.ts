/** Who Postgres runs as (it refuses root), and which folders that account can reach: folders that are not ours are never changed. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** Empty means: as the user that we are. */
export type Account = { uid: number; gid: number } | Record<string, never>;

export const sharedFolder = '/var/tmp';
const ownUid = () => process.getuid?.() ?? 0;

/** As root: the owner of the data folder if there is one, else `postgres` or `nobody`. */
export function postgresAccount(dataDir?: string): Account {
  if (process.getuid?.() !== 0) return {};
  if (dataDir !== undefined && existsSync(path.join(dataDir, 'PG_VERSION'))) {
    const { uid, gid } = statSync(dataDir);
    if (uid !== 0) return { uid, gid };
  }
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = accounts.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('Postgres does not run as root, and there is no postgres or nobody account: run as another user');
}

/** The wanted folder, or one in /var/tmp if the wanted one is below a folder that Postgres's account may not enter. */
export function dataDirFor(wanted: string): string {
  const folder = path.resolve(wanted);
  const account = postgresAccount(folder);
  if (account.uid === undefined || canEnter(nearestExisting(path.dirname(folder)), account)) return folder;
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  return path.join(sharedFolder, `millrace-${ownUid()}-${hash}`);
}

/** Makes the missing parents, open enough for the account to pass whatever the umask; those that exist stay as they are. */
export function makeParents(folder: string): void {
  const parent = path.dirname(folder);
  if (existsSync(parent)) return;
  makeParents(parent);
  mkdirSync(parent, { recursive: true });
  chmodSync(parent, 0o755);
}

/** Makes a new folder that only the account can read; fails if anything has that name. */
export function makePrivate(folder: string, account: Account): void {
  mkdirSync(folder, { mode: 0o700 });
  if (account.uid !== undefined) chownSync(folder, account.uid, account.gid);
}

/** In a folder that all may write to, a name can be taken by someone else: then it is not to be trusted. */
export function assertOwned(folder: string, account: Account): void {
  const state = lstatSync(folder);
  if (state.isDirectory() && (state.uid === ownUid() || state.uid === account.uid)) return;
  throw new Error(`${folder} belongs to someone else (uid ${state.uid}): remove it or choose another folder`);
}

function nearestExisting(folder: string): string {
  return existsSync(folder) ? folder : nearestExisting(path.dirname(folder));
}

function canEnter(folder: string, account: Account): boolean {
  return (
    spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], { ...account, cwd: '/', stdio: 'ignore' }).status === 0
  );
}
