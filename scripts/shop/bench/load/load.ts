/** Calls made over and over for a while, so many at a time → how many a second, and how long one took. */
import { performance } from 'node:perf_hooks';
import { quantile } from '../quantile.ts';

export type Measured = { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number };

const WARM_UP_CALLS = 200;

/** A call that fails ends the measurement: what is refused is quick, and would pass for fast. */
export async function load(call: () => Promise<unknown>, inFlight: number, forMs: number): Promise<Measured> {
  for (let done = 0; done < WARM_UP_CALLS; done += inFlight)
    await Promise.all(Array.from({ length: inFlight }, () => call()));
  const took: number[] = [];
  const begin = performance.now();
  const one = async (): Promise<void> => {
    for (let from = performance.now(); from - begin < forMs; ) {
      await call();
      const now = performance.now();
      took.push(now - from);
      from = now;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  const seconds = (performance.now() - begin) / 1_000;
  return { perSecond: took.length / seconds, p50Ms: quantile(took, 0.5), p99Ms: quantile(took, 0.99) };
}
