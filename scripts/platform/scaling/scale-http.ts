/** Requests in work over time → how many replicas there should be, as Knative's autoscaler decides it, and why. Pure. */
import type { HttpRule } from '../../manifests/rules.ts';

/** The requests in work or waiting, on average over a span of time that ended at `at` (ms). */
export type Sample = { readonly at: number; readonly concurrency: number };

export type Load = {
  /** The average over the window. */
  readonly stable: number;
  /** The average over a tenth of the window: a sudden rise is not waited out. */
  readonly sudden: number;
  /** Since a request was last waiting or in work; 0 while one is. */
  readonly idleSeconds: number;
};

export type HttpDecision = { readonly replicas: number; readonly why: string };

export function average(samples: readonly Sample[], seconds: number, now: number): number {
  const recent = samples.filter(({ at }) => now - at < seconds * 1_000);
  return recent.length === 0 ? 0 : recent.reduce((sum, { concurrency }) => sum + concurrency, 0) / recent.length;
}

export function decideHttp(rule: HttpRule, replicas: number, load: Load): HttpDecision {
  const { windowSeconds, retentionSeconds, min, max } = rule;
  if (load.idleSeconds >= windowSeconds + retentionSeconds)
    return { replicas: min, why: `no request for ${windowSeconds} s, and kept ${retentionSeconds} s longer` };
  if (replicas === 0 && load.idleSeconds > 0) return { replicas, why: 'no request' };
  const perReplica = rule.targetConcurrency * rule.utilization;
  const wanted = Math.ceil(load.stable / perReplica);
  const suddenly = Math.ceil(load.sudden / perReplica);
  // Knative's panic: twice what the present replicas are for.
  const panic = suddenly >= 2 * Math.max(1, replicas) && suddenly > wanted;
  const asked = Math.max(1, min, panic ? suddenly : wanted);
  const shown = Math.round(10 * (panic ? load.sudden : load.stable)) / 10;
  const over = panic ? windowSeconds / 10 : windowSeconds;
  const bound = asked > max ? `, at most ${max}` : '';
  const why = `${shown} requests at once over ${over} s, ${round(perReplica)} a replica: ${asked}${bound}`;
  return { replicas: Math.min(asked, max), why };
}

const round = (value: number): number => Math.round(value * 10) / 10;
