/** The data folder of a killed run → one that Postgres can start on: its old servers are ended, and only those. */
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { stopLeftover } from '../server-process.ts';

/** Fast shutdown, then immediate. */
export const stopSteps = [
  { signal: 'SIGINT', graceMs: 10_000 },
  { signal: 'SIGQUIT', graceMs: 5_000 },
] as const;

export async function clearLeftover(dataDir: string): Promise<void> {
  const pid = Number(pidFileLines(dataDir)[0]);
  if (!(pid > 0)) return;
  await stopLeftover(pid, dataDir, stopSteps);
  // Its number may be another program's by now: Postgres would wait for that one and refuse to start.
  if (exists(pid)) rmSync(path.join(dataDir, 'postmaster.pid'), { force: true });
}

/** Idle ones end by themselves; a busy one would only after its query. Each has the data folder as its working folder. */
export function endOrphans(dataDir: string): void {
  if (process.platform !== 'linux') return;
  const folder = realpathSync(dataDir);
  for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
    try {
      if (readlinkSync(`/proc/${pid}/cwd`) !== folder) continue;
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('postgres: ')) process.kill(pid, 'SIGQUIT');
    } catch {
      // It has ended, or belongs to another user and so is not of this folder.
    }
  }
}

/** Line 1 is the process id, line 8 the state. */
export function isReady(dataDir: string, pid: number): boolean {
  const lines = pidFileLines(dataDir);
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
}

function pidFileLines(dataDir: string): string[] {
  const file = path.join(dataDir, 'postmaster.pid');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
