/** The platform's data folder: held by one process at a time, cleared of what a killed one left running, emptied when asked. */
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dataDirFor } from './postgres/postgres.ts';
import { isSameProcess, processMark } from './process-mark.ts';
import { stopLeftover } from './server-process.ts';

export type DataFolder = {
  readonly postgres: string;
  /** Says where Postgres's data is, when its account may not enter this folder. */
  readonly postgresElsewhere: string;
  readonly nats: string;
  readonly logs: string;
  readonly secrets: string;
  readonly mailbox: string;
  readonly demo: string;
  readonly endpoints: string;
  readonly traces: string;
  readonly tracesBefore: string;
  readonly compileCache: string;
};

export const pathsOf = (folder: string): DataFolder => ({
  postgres: path.join(folder, 'postgres'),
  postgresElsewhere: path.join(folder, 'postgres-is-elsewhere.txt'),
  nats: path.join(folder, 'nats'),
  logs: path.join(folder, 'logs'),
  secrets: path.join(folder, 'secrets'),
  mailbox: path.join(folder, 'mailbox.jsonl'),
  demo: path.join(folder, 'demo.json'),
  endpoints: path.join(folder, 'endpoints.json'),
  traces: path.join(folder, 'traces.jsonl'),
  tracesBefore: path.join(folder, 'traces.jsonl.1'),
  compileCache: path.join(folder, 'compile-cache'),
});

/** Takes the folder, or throws naming the process that has it; returns how to give it back. */
export function takeFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const lock = path.join(folder, 'platform.lock');
  const own = `${lock}.${process.pid}`;
  writeFileSync(own, JSON.stringify({ pid: process.pid, mark: processMark(process.pid) }));
  try {
    for (;;) {
      if (tryLink(own, lock)) return () => rmSync(lock, { force: true });
      const holder = readLock(lock);
      if (holder && isSameProcess(holder))
        throw new Error(
          `A platform runs on ${folder} already: process ${holder.pid}. Stop it (kill ${holder.pid}), ` +
            'or set MILLRACE_DATA to another folder.',
        );
      rmSync(lock, { force: true });
    }
  } finally {
    rmSync(own, { force: true });
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function readLock(lock: string): { pid: number; mark: string } | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as { pid: number; mark: string };
  } catch {
    return undefined;
  }
}

/** Ends the servers that a platform that was killed has left: before ports are chosen, and before data is removed. */
export async function endLeftovers({ postgres, nats }: DataFolder): Promise<void> {
  const real = dataDirFor(postgres);
  const database = firstNumber(path.join(real, 'postmaster.pid'));
  await stopLeftover(database, real, [{ signal: 'SIGINT', graceMs: 10_000 }]);
  const server = firstNumber(path.join(nats, 'nats.pid'));
  await stopLeftover(server, path.join(nats, 'nats.conf'), [{ signal: 'SIGTERM', graceMs: 5_000 }]);
}

const firstNumber = (file: string): number =>
  existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) || 0 : 0;

/**
 * Keeps a database that lies elsewhere in step with this folder: removed with it, so that it never meets another's streams.
 * Gives its place, or undefined when it lies here.
 */
export function keepDatabaseInStep({ postgres, postgresElsewhere }: DataFolder): string | undefined {
  const real = dataDirFor(postgres);
  if (real === postgres) return undefined;
  if (!existsSync(postgresElsewhere)) rmSync(real, { recursive: true, force: true });
  writeFileSync(postgresElsewhere, `${real}\n`);
  return real;
}

/** Removes what the platform has stored, and nothing else that may be in the folder. */
export function emptyFolder(paths: DataFolder): void {
  const { compileCache: _, ...data } = paths;
  for (const entry of [...Object.values(data), dataDirFor(paths.postgres)])
    rmSync(entry, { recursive: true, force: true });
}
