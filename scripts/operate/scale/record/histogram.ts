/** Points of a histogram before and after → how many were measured between, and quantiles of them. Pure. */
import type { Point } from '../../../platform/telemetry/points.ts';
import type { Times } from '../rule.ts';

type Buckets = { readonly counts: readonly number[]; readonly bounds: readonly number[] };

/** Of all processes of a service together. */
export function bucketsOf(points: readonly Point[], service: string, name: string): Buckets {
  const own = points.filter((point) => point.service === service && point.name === name);
  const bounds = own[0]?.bounds ?? [];
  const counts = Array.from({ length: bounds.length + 1 }, (_, index) =>
    own.reduce((sum, { buckets }) => sum + (buckets?.[index] ?? 0), 0),
  );
  return { counts, bounds };
}

/** Processes that have ended are forgotten after a while: less than before counts as none. */
export const between = (before: Buckets, after: Buckets): Buckets => ({
  bounds: after.bounds,
  counts: after.counts.map((count, index) => Math.max(0, count - (before.counts[index] ?? 0))),
});

export const totalOf = ({ counts }: Buckets): number => counts.reduce((sum, count) => sum + count, 0);

/** As Prometheus has it: evenly spread within its bucket; undefined when nothing was measured. */
export function quantileOf(buckets: Buckets, part: number): number | undefined {
  const { counts, bounds } = buckets;
  const rank = part * totalOf(buckets);
  if (rank === 0) return undefined;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    const upper = bounds[index];
    if (upper === undefined) break;
    const lower = bounds[index - 1] ?? 0;
    if (below + count >= rank) return lower + ((rank - below) / count) * (upper - lower);
    below += count;
  }
  return bounds.at(-1);
}

const inMs = (seconds: number): number => Math.max(0.1, Math.round(seconds * 1e6) / 1_000);

/** What the handler of a function has taken; undefined when it has handled nothing. */
export function timesOf(handled: Buckets): Times | undefined {
  const [p50, p95] = [quantileOf(handled, 0.5), quantileOf(handled, 0.95)];
  return p50 === undefined || p95 === undefined ? undefined : { p50: inMs(p50), p95: inMs(p95) };
}

/** Of all that its processes have told. */
export const handlerTimes = (points: readonly Point[], name: string): Times | undefined =>
  timesOf(bucketsOf(points, name, 'millrace.message.handle'));
