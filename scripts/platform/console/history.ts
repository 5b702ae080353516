/** A reading each second → the last minutes of every function, and what changed since the second before. Pure but for what it keeps. */
import type { FunctionNow, Series } from './wire.ts';

export type History = {
  /** Takes the functions as they are, and gives those that are not as they were. */
  add(functions: readonly FunctionNow[]): readonly FunctionNow[];
  now(): readonly FunctionNow[];
  series(): Readonly<Record<string, Series>>;
};

/** Five minutes. */
const MOST_SAMPLES = 300;

type Kept = { now: string; readonly replicas: number[]; readonly lag: number[]; readonly rate: number[] };

export function openHistory(most = MOST_SAMPLES): History {
  const kept = new Map<string, Kept>();
  let newest: readonly FunctionNow[] = [];

  const addOne = (fn: FunctionNow): boolean => {
    const one = kept.get(fn.name) ?? { now: '', replicas: [], lag: [], rate: [] };
    kept.set(fn.name, one);
    one.replicas.push(fn.replicas);
    one.lag.push(fn.lag);
    one.rate.push(fn.rate ?? 0);
    if (one.lag.length > most) for (const values of [one.replicas, one.lag, one.rate]) values.shift();
    const now = JSON.stringify(fn);
    const changed = now !== one.now;
    one.now = now;
    return changed;
  };

  return {
    add(functions) {
      newest = functions;
      return functions.filter(addOne);
    },
    now: () => newest,
    series: () =>
      Object.fromEntries([...kept].map(([name, { replicas, lag, rate }]) => [name, { replicas, lag, rate }])),
  };
}
