/** Values → quantiles; values over time → a curve of few points. Pure. */

/** [time in s, value], in order of time. */
export type Curve = readonly (readonly [number, number])[];

/** The value that a part of them (0 to 1) do not exceed, of values in order; 0 of none. */
export const quantile = (sorted: Float64Array, part: number): number =>
  sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;

export type CurveBuilder = {
  /** At a time in ms; times may not go back. */
  note(at: number, value: number): void;
  points(): Curve;
};

/** With a span (ms): one point for each, the largest value in it; without: a point for each change. */
export function openCurve(spanMs = 0): CurveBuilder {
  const points: [number, number][] = [];
  let last: number | undefined;
  const noteChange = (at: number, value: number): void => {
    if (value !== last) points.push([at / 1_000, value]);
    last = value;
  };
  const noteSpan = (at: number, value: number): void => {
    const begins = (Math.floor(at / spanMs) * spanMs) / 1_000;
    const current = points.at(-1);
    if (current && current[0] === begins) current[1] = Math.max(current[1], value);
    else points.push([begins, value]);
  };
  return { note: spanMs > 0 ? noteSpan : noteChange, points: () => points };
}
