/** The platform's states and the newest metrics → the functions as the console shows them. */
import type { FunctionState } from '../scaling/scaler.ts';
import type { Point } from '../telemetry/points.ts';
import { openThroughput, totalsOf } from './throughput.ts';
import type { FunctionNow } from './wire.ts';

type Source = {
  states(): readonly FunctionState[];
  /** undefined where metrics go elsewhere. */
  points(): readonly Point[] | undefined;
};

/** What does not change by itself, so that a function that rests is not pushed again and again. */
function toNow(state: FunctionState, rate: number | null): FunctionNow {
  const { name, kind, replicas, ready, lag, pending, min, max, threshold, lastChange, problem } = state;
  return {
    ...{ name, kind, replicas, ready, lag, pending, rate, min, max },
    ...(threshold === undefined ? {} : { threshold }),
    ...(lastChange ? { lastChange } : {}),
    ...(problem ? { problem } : {}),
  };
}

/** To be called about each second. */
export function openStates({ states, points }: Source): () => readonly FunctionNow[] {
  const ratesAt = openThroughput();
  return () => {
    const known = points();
    const rateOf = known && ratesAt(Date.now(), totalsOf(known));
    return states().map((state) => toNow(state, rateOf ? rateOf(state.name) : null));
  };
}
