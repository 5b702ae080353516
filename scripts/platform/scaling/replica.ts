/** A bundle and its environment → one running process of a function: listening, ready, drained, or ended with a reason. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogFile } from '../servers/log-file.ts';
import { probe } from '../servers/probe.ts';

export type Replica = {
  readonly pid: number;
  readonly startedAt: number;
  port(): number | undefined;
  ready(): boolean;
  draining(): boolean;
  /** Requests that it has in work; kept by whoever sends them. */
  inFlight: number;
  /** Resolves when it is ready; false if it ended, or was too late, and is being ended. */
  readonly started: Promise<boolean>;
  /** How it ended, in words. */
  readonly ended: Promise<string>;
  /** It did not answer as it should: not ready until a probe says so. */
  distrust(): void;
  /** SIGTERM, and SIGKILL for one that is not drained after 30 s. */
  drain(): Promise<void>;
  kill(): void;
};
export type ReplicaOptions = {
  readonly file: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly log: LogFile;
  /** Called when `ready()` changes. */
  readonly changed: () => void;
};

const PRELOAD = path.join(import.meta.dirname, 'exit-with-parent.cjs');
const START_TIMEOUT_MS = 30_000;
const DRAIN_TIMEOUT_MS = 30_000;
const PROBE_EVERY_MS = 5_000;
const PROBE_STARTING_EVERY_MS = 15;
const PROBE_DISTRUSTED_AFTER_MS = 100;
const FAILED_PROBES = 2;

const alive = new Set<() => void>();
process.once('exit', () => {
  for (const kill of alive) kill();
});

export function startReplica({ file, environment, log, changed }: ReplicaOptions): Replica {
  const child = spawn(process.execPath, ['--require', PRELOAD, file], {
    env: { ...environment },
    cwd: path.dirname(file),
    // Out of reach of the terminal's Ctrl-C: only the supervisor decides when it drains.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  let port: number | undefined;
  let ready = false;
  let draining = false;
  let running = true;

  const setReady = (value: boolean): void => {
    if (ready === value) return;
    ready = value;
    changed();
  };
  const kill = (): void => void child.kill('SIGKILL');
  alive.add(kill);
  const ended = new Promise<string>((resolve) => {
    const end = (how: string): void => {
      running = false;
      alive.delete(kill);
      resolve(how);
      setReady(false);
    };
    child.once('error', (error) => end(`could not be started: ${error.message}`));
    child.once('close', (code, signal) => end(signal ? `was ended by ${signal}` : `ended with exit code ${code}`));
  });
  eachLine(child.stdout, (line) => {
    log.write(line);
    port ??= portOf(line);
  });
  eachLine(child.stderr, (line) => log.write(line));
  // Its other end says nothing; it may break when the process ends.
  child.stdio[3]?.on('error', () => undefined);

  const serving = (): Promise<boolean> => (port === undefined ? Promise.resolve(false) : probe(port));

  const start = async (): Promise<boolean> => {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (running && !draining && Date.now() < deadline) {
      const ready = await serving();
      if (!running || draining) return false;
      if (ready) {
        setReady(true);
        void watch();
        return true;
      }
      await delay(PROBE_STARTING_EVERY_MS);
    }
    if (!running || draining) return false;
    log.write(`not ready after ${START_TIMEOUT_MS / 1_000} s: ended`);
    child.kill('SIGKILL');
    return false;
  };

  const watch = async (): Promise<void> => {
    let failed = 0;
    while (running && !draining) {
      await delay(PROBE_EVERY_MS, undefined, { ref: false });
      failed = (await serving()) ? 0 : failed + 1;
      if (running && !draining && (failed === 0 || failed >= FAILED_PROBES)) setReady(failed === 0);
    }
  };

  const distrust = async (): Promise<void> => {
    setReady(false);
    // Long enough for the end of a process that was killed to be told.
    await delay(PROBE_DISTRUSTED_AFTER_MS);
    const ready = await serving();
    if (ready && running && !draining) setReady(true);
  };

  const drain = async (): Promise<void> => {
    draining = true;
    setReady(false);
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), DRAIN_TIMEOUT_MS);
    await ended;
    clearTimeout(killer);
  };

  return {
    pid: child.pid ?? 0,
    startedAt: Date.now(),
    port: () => port,
    ready: () => ready,
    draining: () => draining,
    inFlight: 0,
    started: start(),
    ended,
    distrust: () => void distrust(),
    drain,
    kill,
  };
}

function eachLine(stream: Readable | null, use: (line: string) => void): void {
  if (stream) createInterface({ input: stream }).on('line', use);
}

/** The port that the function's first lines of log tell. */
function portOf(line: string): number | undefined {
  if (!line.includes('"listening"')) return undefined;
  const fields = JSON.parse(line) as { port?: number; msg?: string };
  return fields.msg === 'listening' ? fields.port : undefined;
}
