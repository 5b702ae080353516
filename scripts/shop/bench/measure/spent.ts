/** A process → what it took from its start to its end: CPU, time and memory, as scripts/shop/bench/measure/cpu.cjs has it say. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';

/** `wallMs` is until its work was done; the rest until its end. */
export type Spent = { readonly cpuMs: number; readonly wallMs: number; readonly peakMiB: number };

export type Start = {
  /** Of node: options, and what is run. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder?: string;
};

const PRELOAD = path.join(import.meta.dirname, 'cpu.cjs');

/** Starts it, waits for `done`, and ends it by SIGTERM; without `done` it ends by itself. Throws when it fails. */
export async function spentBy(
  { command, environment, folder }: Start,
  done?: (child: ChildProcess) => Promise<void>,
): Promise<Spent> {
  const began = performance.now();
  const child = spawn(process.execPath, ['--require', PRELOAD, ...command], {
    env: { ...environment },
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const said = text(child.stdout);
  try {
    await done?.(child);
  } finally {
    if (done) child.kill('SIGTERM');
  }
  const doneAt = performance.now();
  const [code, signal] = await exited;
  const output = await said;
  const [, cpu] = /^CPU (\S+)$/m.exec(output) ?? [];
  const [, peak] = /^PEAK (\d+)$/m.exec(output) ?? [];
  if (code !== 0 || cpu === undefined || peak === undefined)
    throw new Error(`${command.join(' ')} ended with ${signal ?? code}:\n${output}`);
  return { cpuMs: Number(cpu), wallMs: (done ? doneAt : performance.now()) - began, peakMiB: Number(peak) / 1_024 };
}
