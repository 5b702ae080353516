/** A scaling rule, a load and measured times → waits, replicas and lag over time, pod-seconds. Pure, and the same for a seed. */

import type { Cluster, Service, Times, TunedRule } from '../rule.ts';
import { openPods, type Pods } from './pods.ts';
import { type Random, randomOf } from './random.ts';
import { type Scaling, startScaling } from './scaling.ts';
import { type Curve, openCurve, quantile } from './statistics.ts';

export type Situation = {
  readonly rule: TunedRule;
  /** When each message comes: ms from the beginning, in order. */
  readonly load: Float64Array;
  readonly service: Service;
  readonly cluster: Cluster;
  readonly seed: number;
};
/** Times are seconds from the beginning. */
export type Simulation = {
  /** Seconds from a message's coming until its handler begins. */
  readonly waits: { readonly p50: number; readonly p95: number; readonly max: number };
  /** Replicas wanted from a time on. */
  readonly replicas: Curve;
  /** The most lag in each of equal spans that begin at a time. */
  readonly lag: Curve;
  readonly peakReplicas: number;
  readonly podsStarted: number;
  /** From a pod's decision until its end, all pods together. */
  readonly podSeconds: number;
  /** The same for a Deployment of so many pods, all the time, as the busiest minute keeps at work. */
  readonly alwaysOnPodSeconds: number;
  /** Until the load is over, all is handled, and the replicas are the least. */
  readonly seconds: number;
  readonly handled: number;
  /** Messages that nobody comes for, such as those at or below the activation. */
  readonly left: number;
};

/** Nobody comes for what is left when nothing happened for so long, on top of what the rule itself waits. */
const STUCK_MS = 600_000;
/** Of the standard normal distribution. */
const AT_95 = 1.644854;

/** Draws from a lognormal distribution with these quantiles. */
function drawing({ p50, p95 }: Times, { next }: Random): () => number {
  const spread = Math.log(Math.max(p95, p50) / p50) / AT_95;
  if (spread === 0 || p50 === 0) return () => p50;
  return () => p50 * Math.exp(spread * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()));
}

const callsOf = ({ rule, service }: Situation): number =>
  Math.max(1, Math.min(service.calls ?? Number.POSITIVE_INFINITY, Math.floor(rule.inFlight / service.batch)));

/** Pods that the busiest minute keeps at work. */
function alwaysOn(situation: Situation): number {
  const { load, service, rule } = situation;
  const windowMs = Math.min(60_000, Math.max(1_000, load.at(-1) ?? 0));
  let from = 0;
  let most = 0;
  for (let index = 0; index < load.length; index += 1) {
    while ((load[index] ?? 0) - (load[from] ?? 0) >= windowMs) from += 1;
    most = Math.max(most, index - from + 1);
  }
  const { p50, p95 } = service.ms;
  const mean = p50 * Math.exp((Math.log(Math.max(p95, p50) / p50) / AT_95) ** 2 / 2);
  const together = callsOf(situation) * Math.min(service.batch, rule.inFlight);
  return Math.max(1, Math.ceil((most / windowMs) * (mean / together)));
}

/** Runs it; `decided` is called after each look at the lag. */
function run(situation: Situation, pods: Pods, scaling: Scaling, decided: (at: number, lag: number) => void): number {
  const { rule, load } = situation;
  const patience = STUCK_MS + (rule.cooldownPeriod + rule.scaleDownStabilization) * 1_000;
  let came = 0;
  let stirredAt = 0;
  pods.want(rule.min, 0, true);
  for (;;) {
    const comesAt = load[came] ?? Number.POSITIVE_INFINITY;
    const looksAt = scaling.nextAt();
    const now = Math.min(comesAt, looksAt, pods.nextAt());
    if (now === comesAt) {
      came += 1;
      stirredAt = now;
      pods.come(came, now);
    } else if (pods.nextAt() === now) {
      if (pods.proceed()) stirredAt = now;
    } else {
      const lag = came - pods.handled();
      pods.want(scaling.decide(lag, pods.wanted()), now);
      decided(now, lag);
      const over =
        came === load.length && lag === 0 && pods.wanted() === rule.min && pods.nextAt() === Number.POSITIVE_INFINITY;
      if (over || (came === load.length && now - stirredAt > patience)) return now;
    }
  }
}

/** Throws nothing; `load` must be in order, numbers above 0, `p50` too. */
export function simulate(situation: Situation): Simulation {
  const { rule, load, service, cluster, seed } = situation;
  const random = randomOf(seed);
  const scaling = startScaling(rule, cluster, [random.next(), random.next()]);
  const replicas = openCurve();
  replicas.note(0, rule.min);
  const lag = openCurve(Math.max(500, (load.at(-1) ?? 0) / 400));
  const pods = openPods({
    load,
    calls: callsOf(situation),
    batch: Math.min(service.batch, rule.inFlight),
    maxAckPending: rule.maxAckPending,
    startMs: drawing(cluster.podStart, random),
    callMs: drawing(service.ms, random),
  });
  const end = run(situation, pods, scaling, (at, waiting) => {
    replicas.note(at, pods.wanted());
    lag.note(at, waiting);
  });
  const waits = pods.waits();
  const seconds = end / 1_000;
  return {
    waits: { p50: quantile(waits, 0.5), p95: quantile(waits, 0.95), max: quantile(waits, 1) },
    replicas: replicas.points(),
    lag: lag.points(),
    peakReplicas: replicas.points().reduce((most, [, count]) => Math.max(most, count), 0),
    podsStarted: pods.started(),
    podSeconds: pods.podMs(end) / 1_000,
    alwaysOnPodSeconds: alwaysOn(situation) * seconds,
    seconds,
    handled: pods.handled(),
    left: load.length - pods.handled(),
  };
}
