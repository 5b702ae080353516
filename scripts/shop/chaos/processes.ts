/** Names of what runs in a world → its processes now, to be killed, or stopped and continued. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { FunctionState } from '../../platform/scaling/scaler.ts';
import { dataDirFor } from '../../platform/servers/postgres/postgres.ts';
import type { World } from './world.ts';

type Running = { readonly pid: number; readonly folder: string; readonly args: readonly string[] };

/** Those of this user, or of whom this user may know. */
function running(): Running[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return [{ pid: Number(pid), folder: readlinkSync(`/proc/${pid}/cwd`), args }];
      } catch {
        return [];
      }
    });
}

export const natsPids = ({ dataDir }: World): number[] =>
  running().flatMap(({ pid, args }) => (args.includes(path.join(dataDir, 'nats', 'nats.conf')) ? [pid] : []));

/** The postmaster and its backends: all work in the data folder. */
const postgres = ({ dataDir }: World): Running[] => {
  const folder = dataDirFor(path.join(dataDir, 'postgres'));
  return running().filter((one) => one.folder === folder);
};

export const postgresPids = (world: World): number[] => postgres(world).map(({ pid }) => pid);

/** Its backends are titled `postgres: …`. */
export const postmasterPids = (world: World): number[] =>
  postgres(world).flatMap(({ pid, args }) => (args[0]?.startsWith('postgres: ') ? [] : [pid]));

/** Of every function that is awake. */
export async function functionPids({ endpoints }: World): Promise<Map<string, readonly number[]>> {
  const states = (await (await fetch(`${endpoints.http}/_local/functions`)).json()) as FunctionState[];
  return new Map(states.filter(({ pids }) => pids.length > 0).map(({ name, pids }) => [name, pids]));
}

export function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended meanwhile.
    }
  }
}
