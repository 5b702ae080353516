/** A data folder → a running Postgres on 127.0.0.1 alone, any local user trusted (accepted on one machine); what a killed run left is recovered. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Exit, type LaunchOptions, launch, type ServerProcess } from '../server-process.ts';
import {
  type Account,
  assertOwned,
  dataDirFor,
  makeParents,
  makePrivate,
  postgresAccount,
} from './postgres-account.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import { clearLeftover, endOrphans, isReady, stopSteps } from './postgres-leftovers.ts';

export { dataDirFor } from './postgres-account.ts';

export type Postgres = {
  url: string;
  port: number;
  pid: number;
  /** Where the data really is: `dataDirFor` of the folder asked for. */
  dataDir: string;
  logFile: string;
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  exited: Promise<Exit>;
};
/** `durable: false` does not sync to disk: for tests. */
export type PostgresOptions = { dataDir: string; port: number; durable: boolean; logFile?: string };

const run = promisify(execFile);
const startTimeoutMs = 60_000;
const orphanPollMs = 200;
const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
const unsynced = ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'];

/** Arguments of postgres and of initdb, wherever it runs. */
export const serverOptions = (durable: boolean): string[] => [
  '-c',
  'max_connections=200',
  ...(durable ? [] : unsynced),
];
export const localeOptions = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];

export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { port, durable } = options;
  const dataDir = dataDirFor(options.dataDir);
  const account = postgresAccount(dataDir);
  const bin = postgresBinaries(account);
  if (existsSync(dataDir)) assertOwned(dataDir, account);
  if (existsSync(path.join(dataDir, 'PG_VERSION'))) await clearLeftover(dataDir);
  else await initialise(bin, dataDir, account, durable);

  const logFile = options.logFile ?? path.join(dataDir, 'server.log');
  const fixed = ['listen_addresses=127.0.0.1', 'unix_socket_directories='];
  const settings = fixed.flatMap((setting) => ['-c', setting]);
  const server = await startWhenOrphansAreGone(dataDir, {
    name: 'Postgres',
    program: path.join(bin, 'postgres'),
    args: ['-D', dataDir, '-p', String(port), ...settings, ...serverOptions(durable)],
    logFile,
    stopSteps,
    env,
    ...account,
  });
  const { pid, stop, kill, exited } = server;
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, port, pid, dataDir, logFile, stop, kill, exited };
}

/** After a SIGKILL of the postmaster its backends end a little later, and Postgres refuses to start as long as they hold its memory. */
async function startWhenOrphansAreGone(dataDir: string, options: LaunchOptions): Promise<ServerProcess> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const server = await launch(options);
    try {
      await server.waitUntilReady(() => isReady(dataDir, server.pid), startTimeoutMs);
      return server;
    } catch (error) {
      const orphans = error instanceof Error && error.message.includes('pre-existing shared memory block');
      if (!orphans || Date.now() > deadline) throw error;
    }
    endOrphans(dataDir);
    await delay(orphanPollMs);
  }
}

/** In a folder of another name first: a run killed half-way leaves nothing that looks like data. */
async function initialise(bin: string, dataDir: string, account: Account, durable: boolean): Promise<void> {
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0) {
    throw new Error(`${dataDir} is not empty and is no Postgres data folder: empty it or choose another`);
  }
  makeParents(dataDir);
  for (const name of readdirSync(path.dirname(dataDir))) {
    const left = path.join(path.dirname(dataDir), name);
    if (left.startsWith(`${dataDir}.new-`)) rmSync(left, { recursive: true, force: true });
  }
  const fresh = `${dataDir}.new-${randomBytes(6).toString('hex')}`;
  makePrivate(fresh, account);
  const args = ['-D', fresh, '-U', 'postgres', '-A', 'trust', ...localeOptions, '--no-instructions'];
  try {
    await run(path.join(bin, 'initdb'), durable ? args : [...args, '--no-sync'], { ...account, cwd: '/', env });
    if (existsSync(dataDir)) rmdirSync(dataDir);
    renameSync(fresh, dataDir);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Error(`initdb could not make ${dataDir}: ${output}`, { cause: error });
  }
}
