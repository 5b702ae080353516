/** Measured values → the one that a share of them does not exceed; NaN of none. Pure. */
export const quantile = (values: Iterable<number>, share: number): number => {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
};

export const median = (values: Iterable<number>): number => quantile(values, 0.5);
