/** A shape, or a recorded series → when each message comes: ms from the beginning, in order. Pure, the same for a seed. */
import { randomOf } from './random.ts';

export const SHAPES = ['spike', 'day', 'ramp'] as const;
export type Shape = (typeof SHAPES)[number];
export type ShapedLoad = { readonly shape: Shape; readonly messages: number; readonly seconds: number };
/** Messages that came in the time until `t`, in seconds, since the entry before it (or 0). */
export type Series = readonly { readonly t: number; readonly arrived: number }[];

/** How much comes at a part of the time, 0 to 1; on average about 1. */
const RATES: Readonly<Record<Shape, (part: number) => number>> = {
  // Little, and for a tenth of the time nine tenths of all.
  spike: (part) => (part >= 0.2 && part < 0.3 ? 9 : 1 / 9),
  // Almost nothing at night, most in the afternoon and the evening.
  day: (part) => 0.05 + 1.9 * Math.max(0, Math.sin(Math.PI * Math.min(1, Math.max(0, (part - 0.25) / 0.7)))) ** 2,
  ramp: (part) => 2 * part,
};
const SLICES = 1_000;

/** `count` moments between two times, spread by chance. */
function spread(into: Float64Array, at: number, count: number, from: number, to: number, next: () => number): void {
  const drawn = Float64Array.from({ length: count }, () => from + next() * (to - from)).sort();
  into.set(drawn, at);
}

/** Shares of `total` as whole numbers that add up to it. */
function apportion(total: number, shares: readonly number[]): number[] {
  const sum = shares.reduce((all, share) => all + share, 0);
  let given = 0;
  let wanted = 0;
  return shares.map((share) => {
    wanted += (total * share) / sum;
    const count = Math.round(wanted) - given;
    given += count;
    return count;
  });
}

export function arrivalsOf({ shape, messages, seconds }: ShapedLoad, seed: number): Float64Array {
  const slices = Array.from({ length: SLICES }, (_, index) => RATES[shape]((index + 0.5) / SLICES));
  const counts = apportion(messages, slices);
  return arrivalsOfSeries(
    counts.map((arrived, index) => ({ t: ((index + 1) * seconds) / SLICES, arrived })),
    seed,
  );
}

export function arrivalsOfSeries(series: Series, seed: number): Float64Array {
  const { next } = randomOf(seed);
  const arrivals = new Float64Array(series.reduce((sum, { arrived }) => sum + arrived, 0));
  let at = 0;
  let from = 0;
  for (const { t, arrived } of series) {
    spread(arrivals, at, arrived, from * 1_000, t * 1_000, next);
    at += arrived;
    from = t;
  }
  return arrivals;
}
