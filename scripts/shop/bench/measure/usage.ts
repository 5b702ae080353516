/** Looks at a running shop several times a second → replicas over time, and what its functions' processes have cost. */
import { readFileSync } from 'node:fs';
import type { FunctionState } from '../../../platform/scaling/scaler.ts';

export type Usage = {
  readonly replicaSeconds: number;
  readonly cpuSeconds: number;
  /** Function → the most replicas that it had. */
  readonly most: Readonly<Record<string, number>>;
  /** Function → seconds of its replicas. */
  readonly secondsOf: Readonly<Record<string, number>>;
  /** Seconds since the beginning, and replicas of all functions together. */
  readonly replicas: readonly (readonly [number, number])[];
};

const EVERY_MS = 200;
/** Of the kernel, as it tells user space. */
const TICKS_PER_SECOND = 100;

/** CPU in seconds that a process has taken; undefined when there is none any more. */
export function cpuOf(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

export const statesOf = async (http: string): Promise<FunctionState[]> =>
  (await (await fetch(`${http}/_local/functions`)).json()) as FunctionState[];

type Process = { readonly name: string; readonly cpuBefore: number; cpu: number; ended: boolean };

/** Counts from now on; `end` resolves to what has come together. A process counts until it is gone, drained or not. */
export function watchUsage(http: string): { end(): Promise<Usage> } {
  const began = Date.now();
  const processes = new Map<number, Process>();
  const secondsOf: Record<string, number> = {};
  const most: Record<string, number> = {};
  const replicas: [number, number][] = [];
  let lookedAt = began;
  let stopped = false;

  const look = async (first: boolean): Promise<void> => {
    const states = await statesOf(http).catch((): FunctionState[] => []);
    for (const { name, pids } of states)
      for (const pid of pids)
        if (!processes.has(pid)) {
          const cpu = cpuOf(pid) ?? 0;
          processes.set(pid, { name, cpuBefore: first ? cpu : 0, cpu, ended: false });
        }
    const passed = (Date.now() - lookedAt) / 1_000;
    lookedAt = Date.now();
    const running: Record<string, number> = {};
    for (const [pid, one] of processes) {
      const cpu = one.ended ? undefined : cpuOf(pid);
      one.ended = cpu === undefined;
      if (cpu === undefined) continue;
      one.cpu = cpu;
      running[one.name] = (running[one.name] ?? 0) + 1;
      secondsOf[one.name] = (secondsOf[one.name] ?? 0) + passed;
    }
    for (const { name, replicas: wanted } of states) most[name] = Math.max(most[name] ?? 0, wanted);
    replicas.push([(lookedAt - began) / 1_000, Object.values(running).reduce((sum, one) => sum + one, 0)]);
  };

  const watching = (async () => {
    for (let first = true; !stopped; first = false) {
      const next = Date.now() + EVERY_MS;
      await look(first);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - Date.now())));
    }
    await look(false);
  })();
  return {
    async end() {
      stopped = true;
      await watching;
      const total = (values: Iterable<number>): number => [...values].reduce((sum, one) => sum + one, 0);
      return {
        replicaSeconds: total(Object.values(secondsOf)),
        cpuSeconds: total([...processes.values()].map(({ cpu, cpuBefore }) => cpu - cpuBefore)),
        most,
        secondsOf,
        replicas,
      };
    },
  };
}
