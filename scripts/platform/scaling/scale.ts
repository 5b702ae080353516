/** What a scaler read, and what was before → how many replicas there should be, as KEDA decides it, and why in plain words. Pure. */
import type { EventRule } from '../../manifests/rules.ts';

/** A trigger's value: `metric` above `activation` wakes the function; one replica for each `threshold` of it. */
export type Reading = {
  readonly what: string;
  readonly metric: number;
  readonly threshold: number;
  readonly activation: number;
};
/** A trigger that could not be read. */
export type Failure = { readonly what: string; readonly problem: string };

/** What decisions need to know of earlier ones. Times are ms. */
export type Memory = {
  readonly lastActiveAt: number | undefined;
  /** What the metrics alone asked for, as far back as the stabilisation window. */
  readonly wishes: readonly { readonly at: number; readonly replicas: number }[];
};
export type Decision = { readonly replicas: number; readonly why: string; readonly memory: Memory };

export const NOTHING_REMEMBERED: Memory = { lastActiveAt: undefined, wishes: [] };

const isReading = (one: Reading | Failure): one is Reading => 'metric' in one;
const isFailure = (one: Reading | Failure): one is Failure => 'problem' in one;

export function decideEvent(
  rule: EventRule,
  replicas: number,
  read: readonly (Reading | Failure)[],
  memory: Memory,
  now: number,
): Decision {
  const readings = read.filter(isReading);
  const active = readings.find(({ metric, activation }) => metric > activation);
  const failure = read.find(isFailure);
  if (failure && !active)
    return { replicas, why: `left at ${replicas}: ${failure.what} cannot be read: ${failure.problem}`, memory };
  if (!active && cooledDown(rule, memory, now)) return sleep(rule, memory, now);
  if (replicas === 0) return active ? wake(rule, active, now) : { replicas, why: 'nothing to do', memory };
  const awake: Memory = { ...memory, lastActiveAt: active ? now : memory.lastActiveAt };
  return follow(rule, replicas, readings, awake, now, failure !== undefined);
}

function wake(rule: EventRule, { what, metric, activation }: Reading, now: number): Decision {
  return {
    replicas: Math.max(1, rule.min),
    why: `${what} is ${metric}, above ${activation}: woken`,
    memory: { lastActiveAt: now, wishes: [] },
  };
}

const cooledDown = ({ cooldownSeconds }: EventRule, { lastActiveAt }: Memory, now: number): boolean =>
  lastActiveAt === undefined || now - lastActiveAt >= cooldownSeconds * 1_000;

function sleep(rule: EventRule, memory: Memory, now: number): Decision {
  const { lastActiveAt } = memory;
  const idle = lastActiveAt === undefined ? '' : ` for ${Math.round((now - lastActiveAt) / 1_000)} s`;
  return { replicas: rule.min, why: `nothing to do${idle}`, memory: { lastActiveAt, wishes: [] } };
}

/** Between 1 and the most: up at once, down only to the most that was wished for within the window. */
function follow(
  rule: EventRule,
  replicas: number,
  readings: readonly Reading[],
  memory: Memory,
  now: number,
  partial: boolean,
): Decision {
  const { wish, why } = wished(rule, readings);
  const windowMs = rule.scaleDownStabilizationSeconds * 1_000;
  const wishes = [...memory.wishes.filter(({ at }) => now - at < windowMs), { at: now, replicas: wish }];
  const next: Memory = { ...memory, wishes };
  if (wish >= replicas) return { replicas: wish, why, memory: next };
  if (partial) return { replicas, why: `${why}, but another trigger cannot be read`, memory: next };
  const held = Math.min(replicas, Math.max(...wishes.map((one) => one.replicas)));
  if (held === wish) return { replicas: wish, why, memory: next };
  const reason = `${why}, but ${held} were wanted in the last ${rule.scaleDownStabilizationSeconds} s`;
  return { replicas: held, why: reason, memory: next };
}

/** Why there are no fewer: the most that was wished for within the window, and until when it counts (ms). */
export function heldBy(
  { scaleDownStabilizationSeconds: window }: EventRule,
  replicas: number,
  { wishes }: Memory,
): { readonly replicas: number; readonly until: number } | undefined {
  const last = wishes.at(-1);
  const holding = wishes.findLast((one) => one.replicas >= replicas);
  if (!last || !holding || last.replicas >= replicas) return undefined;
  return { replicas: holding.replicas, until: holding.at + window * 1_000 };
}

/** The trigger that asks for most decides. */
function wished(rule: EventRule, readings: readonly Reading[]): { wish: number; why: string } {
  const least = Math.max(1, rule.min);
  let wish = least;
  let why = `${least} is the least while awake`;
  for (const { what, metric, threshold } of readings) {
    const asked = Math.ceil(metric / threshold);
    if (asked < wish || asked === 0) continue;
    wish = Math.min(asked, rule.max);
    why = `${what} is ${metric}, ${threshold} a replica: ${asked}${asked > rule.max ? `, at most ${rule.max}` : ''}`;
  }
  return { wish, why };
}
