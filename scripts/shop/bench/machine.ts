/** What the numbers of a run are from: this machine, the versions of the servers, and the commit. */
import { execFile } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { obtainNatsServer } from '../../platform/servers/nats/nats-binary.ts';
import { postgresAccount } from '../../platform/servers/postgres/postgres-account.ts';
import { postgresBinaries } from '../../platform/servers/postgres/postgres-binaries.ts';
import { repository } from '../../registry/repository.ts';

const run = promisify(execFile);

export type Machine = {
  readonly date: string;
  readonly commit: string;
  readonly cores: number;
  readonly model: string;
  readonly memoryGib: number;
  /** Processes that waited for a core, on average over a minute before the run: above 0 something else was running. */
  readonly loadBefore: number;
  readonly node: string;
  readonly postgres: string;
  readonly nats: string;
};

/** `unknown` where there is no repository, or no git. */
async function commitOf(): Promise<string> {
  try {
    const { stdout } = await run('git', ['describe', '--always', '--dirty', '--exclude', '*'], { cwd: repository });
    return stdout.trim();
  } catch {
    return 'unknown';
  }
}

async function postgresVersion(): Promise<string> {
  const account = postgresAccount(path.join(os.tmpdir(), 'millrace-bench'));
  const { stdout } = await run(path.join(postgresBinaries(account), 'postgres'), ['--version'], account);
  return /[\d.]+/.exec(stdout)?.[0] ?? stdout.trim();
}

export async function describeMachine(): Promise<Machine> {
  const cpus = os.cpus();
  return {
    date: new Date().toISOString(),
    commit: await commitOf(),
    cores: cpus.length,
    model: cpus[0]?.model ?? 'unknown',
    memoryGib: Math.round((os.totalmem() / 2 ** 30) * 10) / 10,
    loadBefore: os.loadavg()[0] ?? 0,
    node: process.version,
    postgres: await postgresVersion(),
    nats: (await obtainNatsServer(() => undefined)).version,
  };
}

/** In one line, to stand above a table. */
export const machineLine = ({ date, commit, cores, model, memoryGib, loadBefore, ...versions }: Machine): string =>
  `${date.slice(0, 16).replace('T', ' ')} UTC, commit ${commit}, ${cores} cores (${model}), ${memoryGib} GiB, ` +
  `Node ${versions.node.slice(1)}, Postgres ${versions.postgres}, nats-server ${versions.nats}; ` +
  `load before the run ${loadBefore.toFixed(1)}`;
