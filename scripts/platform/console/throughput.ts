/** Metrics of all processes → what each function handles a second, over the last seconds. */
import type { Point } from '../telemetry/points.ts';

/** What is counted once for each message, request or call. */
const COUNTED = new Set(['millrace.messages.handled', 'millrace.http.request', 'millrace.rpc.serve']);
/** As often as a process pushes. */
const OVER_MS = 5_000;

type Totals = ReadonlyMap<string, number>;

/** Pure. Function → all that its processes have ever handled. */
export function totalsOf(points: readonly Point[]): Totals {
  const totals = new Map<string, number>();
  for (const { service, name, count, value } of points)
    if (COUNTED.has(name)) totals.set(service, (totals.get(service) ?? 0) + (count ?? value));
  return totals;
}

/** Gives, at each reading, the rate of each function since the reading of five seconds ago. */
export function openThroughput(): (at: number, totals: Totals) => (name: string) => number {
  const readings: { at: number; totals: Totals }[] = [];
  return (at, totals) => {
    readings.push({ at, totals });
    while (readings[1] && readings[1].at <= at - OVER_MS) readings.shift();
    const before = readings[0];
    const seconds = Math.max(1_000, at - (before?.at ?? at)) / 1_000;
    return (name) => {
      const handled = (totals.get(name) ?? 0) - (before?.totals.get(name) ?? 0);
      return Math.max(0, Math.round((handled / seconds) * 10) / 10);
    };
  };
}
