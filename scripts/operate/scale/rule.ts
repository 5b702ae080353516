/** What an operator tunes of an event function's scaling, as plain numbers; and the facts of where it runs. Pure. */
import type { EventRule } from '../../manifests/rules.ts';

export type TunedRule = {
  /** Seconds between two polls of the lag. */
  readonly pollingInterval: number;
  /** Seconds without lag until the last replica goes. */
  readonly cooldownPeriod: number;
  readonly min: number;
  readonly max: number;
  /** Of the lag, what one replica is for. */
  readonly lagThreshold: number;
  /** A function at zero wakes above it. */
  readonly activationLagThreshold: number;
  /** Seconds. */
  readonly scaleUpStabilization: number;
  readonly scaleDownStabilization: number;
  /** Pods and per cent that may come or go within a period in seconds; 0 is no such policy, and the larger one counts. */
  readonly scaleUpPods: number;
  readonly scaleUpPercent: number;
  readonly scaleUpPeriod: number;
  readonly scaleDownPods: number;
  readonly scaleDownPercent: number;
  readonly scaleDownPeriod: number;
  /** Of the HPA: a ratio of lag to threshold so near to 1 changes nothing. */
  readonly tolerance: number;
  /** 1: the HPA gets the lag of KEDA's last poll; 0: the lag of now. */
  readonly useCachedMetrics: number;
  /** Messages in work in one replica, at most. */
  readonly inFlight: number;
  /** Messages in work in all replicas together, at most. */
  readonly maxAckPending: number;
};

/** What Kubernetes 1.36 and KEDA 2.20 take where a manifest says nothing. */
export const KUBERNETES_DEFAULTS = {
  scaleUpStabilization: 0,
  scaleDownStabilization: 300,
  scaleUpPods: 4,
  scaleUpPercent: 100,
  scaleUpPeriod: 15,
  scaleDownPods: 0,
  scaleDownPercent: 100,
  scaleDownPeriod: 15,
  tolerance: 0.1,
  useCachedMetrics: 0,
} as const satisfies Partial<TunedRule>;

/** ms: half of them take at most `p50`, 95 of 100 at most `p95`. */
export type Times = { readonly p50: number; readonly p95: number };

export type Cluster = {
  /** `local`: replicas are decided at every poll, as the platform of `npm start` does it; `kubernetes`: KEDA and an HPA. */
  readonly profile: 'local' | 'kubernetes';
  /** Seconds between two decisions of the HPA. */
  readonly hpaSync: number;
  /** From the decision until the pod takes messages. */
  readonly podStart: Times;
};

export type Service = {
  /** Of one call of the handler. */
  readonly ms: Times;
  /** Messages handed to the handler together, at most. */
  readonly batch: number;
  /** Calls at the same time in one replica; without it as many as `inFlight` lets. */
  readonly calls?: number;
};

export const CLUSTERS = {
  local: { profile: 'local', hpaSync: 15, podStart: { p50: 350, p95: 700 } },
  // Pod start as measured on one node of Kubernetes 1.36 with the image there.
  kubernetes: { profile: 'kubernetes', hpaSync: 15, podStart: { p50: 800, p95: 2_200 } },
} as const satisfies Readonly<Record<string, Cluster>>;

/** The rule in the words of the local platform; it has no triggers. */
export const asEventRule = (rule: TunedRule): EventRule => ({
  scaledBy: 'keda',
  name: 'simulated',
  min: rule.min,
  max: rule.max,
  pollingIntervalSeconds: rule.pollingInterval,
  cooldownSeconds: rule.cooldownPeriod,
  scaleDownStabilizationSeconds: rule.scaleDownStabilization,
  triggers: [],
});
