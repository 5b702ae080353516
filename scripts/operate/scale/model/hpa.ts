/** Lag and what was before → how many replicas Kubernetes' HPA wants: tolerance, stabilisation, policies. Pure. */
import type { TunedRule } from '../rule.ts';

type Change = { readonly at: number; readonly by: number };
/** Times are ms. */
export type HpaMemory = {
  readonly wishes: readonly { readonly at: number; readonly replicas: number }[];
  /** What came (above 0) and went (below 0). */
  readonly changes: readonly Change[];
};
export const HPA_REMEMBERS_NOTHING: HpaMemory = { wishes: [], changes: [] };

const within = <Item extends { readonly at: number }>(items: readonly Item[], seconds: number, now: number): Item[] =>
  items.filter(({ at }) => now - at < seconds * 1_000);

function wishOf(rule: TunedRule, replicas: number, lag: number): number {
  const near = Math.abs(1 - lag / (rule.lagThreshold * replicas)) <= rule.tolerance;
  const wish = near ? replicas : Math.ceil(lag / rule.lagThreshold);
  return Math.max(1, rule.min, Math.min(rule.max, wish));
}

/** Up at most to the least that was wished within one window, down at most to the most within the other. */
function stabilised(rule: TunedRule, replicas: number, wishes: HpaMemory['wishes'], now: number): number {
  const wished = wishes.at(-1)?.replicas ?? replicas;
  const least = Math.min(wished, ...within(wishes, rule.scaleUpStabilization, now).map((one) => one.replicas));
  const most = Math.max(wished, ...within(wishes, rule.scaleDownStabilization, now).map((one) => one.replicas));
  return Math.min(Math.max(replicas, least), most);
}

const startOf = (replicas: number, changes: readonly Change[], period: number, now: number): number =>
  replicas - within(changes, period, now).reduce((sum, { by }) => sum + by, 0);

function limited(rule: TunedRule, from: number, to: number, changes: readonly Change[], now: number): number {
  if (to > from) {
    const start = startOf(from, changes, rule.scaleUpPeriod, now);
    const pods = rule.scaleUpPods > 0 ? start + rule.scaleUpPods : 0;
    const percent = rule.scaleUpPercent > 0 ? Math.ceil(start * (1 + rule.scaleUpPercent / 100)) : 0;
    return Math.min(to, Math.max(from, pods, percent));
  }
  const start = startOf(from, changes, rule.scaleDownPeriod, now);
  const pods = rule.scaleDownPods > 0 ? start - rule.scaleDownPods : from;
  const percent = rule.scaleDownPercent > 0 ? Math.floor(start * (1 - rule.scaleDownPercent / 100)) : from;
  return Math.max(to, Math.min(from, pods, percent));
}

export function decideHpa(
  rule: TunedRule,
  replicas: number,
  lag: number,
  memory: HpaMemory,
  now: number,
): { readonly replicas: number; readonly memory: HpaMemory } {
  const window = Math.max(rule.scaleUpStabilization, rule.scaleDownStabilization);
  const wishes = [...within(memory.wishes, window, now), { at: now, replicas: wishOf(rule, replicas, lag) }];
  const changes = within(memory.changes, Math.max(rule.scaleUpPeriod, rule.scaleDownPeriod), now);
  const to = limited(rule, replicas, stabilised(rule, replicas, wishes, now), changes, now);
  return {
    replicas: to,
    memory: { wishes, changes: to === replicas ? changes : [...changes, { at: now, by: to - replicas }] },
  };
}
