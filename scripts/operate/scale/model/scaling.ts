/** A rule and where it runs → when it looks at the lag, and how many replicas it wants then. */
import { decideEvent, NOTHING_REMEMBERED } from '../../../platform/scaling/scale.ts';
import { asEventRule, type Cluster, type TunedRule } from '../rule.ts';
import { decideHpa, HPA_REMEMBERS_NOTHING } from './hpa.ts';

export type Scaling = {
  /** ms from the beginning. */
  nextAt(): number;
  /** The replicas wanted at `nextAt()`, which is past then. */
  decide(lag: number, replicas: number): number;
};

/** As scripts/platform/scaling/keda.ts: the very same decision. */
function startLocal(tuned: TunedRule, phase: number): Scaling {
  const rule = asEventRule(tuned);
  let at = Math.round(phase * tuned.pollingInterval * 1_000);
  let memory = NOTHING_REMEMBERED;
  return {
    nextAt: () => at,
    decide(metric, replicas) {
      const { lagThreshold: threshold, activationLagThreshold: activation } = tuned;
      const decision = decideEvent(rule, replicas, [{ what: 'lag', metric, threshold, activation }], memory, at);
      memory = decision.memory;
      at += tuned.pollingInterval * 1_000;
      return decision.replicas;
    },
  };
}

/** KEDA decides between none and some, at its polls; the HPA between one and many, at its own. */
function startKubernetes(rule: TunedRule, { hpaSync }: Cluster, phases: readonly [number, number]): Scaling {
  let pollAt = Math.round(phases[0] * rule.pollingInterval * 1_000);
  let syncAt = Math.round(phases[1] * hpaSync * 1_000);
  let polled = 0;
  let activeAt: number | undefined;
  let memory = HPA_REMEMBERS_NOTHING;

  const poll = (lag: number, replicas: number): number => {
    const now = pollAt;
    pollAt += rule.pollingInterval * 1_000;
    polled = lag;
    const active = lag > rule.activationLagThreshold;
    if (active) activeAt = now;
    if (replicas === 0) return active ? Math.max(1, rule.min) : 0;
    const idle = activeAt === undefined || now - activeAt >= rule.cooldownPeriod * 1_000;
    return rule.min === 0 && !active && idle ? 0 : replicas;
  };
  const sync = (lag: number, replicas: number): number => {
    const now = syncAt;
    syncAt += hpaSync * 1_000;
    if (replicas === 0) return 0;
    const decision = decideHpa(rule, replicas, rule.useCachedMetrics ? polled : lag, memory, now);
    memory = decision.memory;
    return decision.replicas;
  };
  return {
    nextAt: () => Math.min(pollAt, syncAt),
    decide: (lag, replicas) => (pollAt <= syncAt ? poll(lag, replicas) : sync(lag, replicas)),
  };
}

/** `phases`, 0 to 1: how far into their intervals the first poll and the first decision of the HPA are. */
export const startScaling = (rule: TunedRule, cluster: Cluster, phases: readonly [number, number]): Scaling =>
  cluster.profile === 'local' ? startLocal(rule, phases[0]) : startKubernetes(rule, cluster, phases);
