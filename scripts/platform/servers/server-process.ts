/** A program → a running server in a process group of its own (the terminal's Ctrl-C passes it by), its log in a file, ended by signals of rising force. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export type Exit = { code: number | null; signal: NodeJS.Signals | null };
export type StopStep = { signal: NodeJS.Signals; graceMs: number };
export type ServerProcess = {
  pid: number;
  exited: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
  /** Resolves when `isReady` says so; otherwise ends the process and throws with the last lines of its log. */
  waitUntilReady(isReady: () => Promise<boolean> | boolean, timeoutMs: number): Promise<void>;
};
export type LaunchOptions = {
  name: string;
  program: string;
  args: readonly string[];
  logFile: string;
  stopSteps: readonly StopStep[];
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
};

const pollMs = 20;
const keepLogBytes = 10_000_000;
const tailBytes = 4_000;

export async function launch(options: LaunchOptions): Promise<ServerProcess> {
  const { name, program, args, logFile, stopSteps, ...identity } = options;
  const logStart = existsSync(logFile) ? statSync(logFile).size : 0;
  const log = openSync(logFile, logStart > keepLogBytes ? 'w' : 'a', 0o600);
  const child = spawn(program, args, { ...identity, cwd: '/', detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  await new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new Error(`${name} could not be started: ${error.message}`)));
  });
  const pid = child.pid ?? 0;
  const endWithParent = () => child.kill(stopSteps[0]?.signal);
  process.once('exit', endWithParent);
  let ended: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      process.off('exit', endWithParent);
      ended = { code, signal };
      resolve(ended);
    });
  });
  const tail = () => logTail(logFile, logStart > keepLogBytes ? 0 : logStart);
  const stop = async () => {
    for (const { signal, graceMs } of stopSteps) {
      if (ended !== undefined) return;
      child.kill(signal);
      if (await settlesWithin(exited, graceMs)) return;
    }
    child.kill('SIGKILL');
    await exited;
  };
  const waitUntilReady = async (isReady: () => Promise<boolean> | boolean, timeoutMs: number) => {
    const deadline = Date.now() + timeoutMs;
    while (ended === undefined && Date.now() < deadline) {
      if (await isReady()) return;
      await delay(pollMs);
    }
    const how = ended
      ? `ended at once (${ended.signal ?? `exit code ${ended.code}`})`
      : `was not ready after ${timeoutMs / 1000} s`;
    await stop();
    throw new Error(`${name} ${how}. The end of ${logFile}:\n${tail()}`);
  };
  return { pid, exited, kill: (signal) => void child.kill(signal), stop, waitUntilReady };
}

/** Ends a server that a killed run left behind: only if `pid` is a process with the argument `marker`. */
export async function stopLeftover(pid: number, marker: string, steps: readonly StopStep[]): Promise<void> {
  for (const { signal, graceMs } of [...steps, { signal: 'SIGKILL' as const, graceMs: 5_000 }]) {
    if (!isRunning(pid, marker)) return;
    process.kill(pid, signal);
    const deadline = Date.now() + graceMs;
    while (isRunning(pid, marker) && Date.now() < deadline) await delay(pollMs);
  }
  if (isRunning(pid, marker))
    throw new Error(`process ${pid} of an earlier run (${marker}) does not end; end it by hand`);
}

/** False for a zombie: it has no arguments any more. */
function isRunning(pid: number, marker: string): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(marker);
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).includes(marker);
  } catch {
    return false;
  }
}

function logTail(file: string, from: number): string {
  return readFileSync(file).subarray(from).subarray(-tailBytes).toString('utf8').trimEnd();
}

async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const settled = await Promise.race([promise.then(() => true), timeout]);
  clearTimeout(timer);
  return settled;
}
