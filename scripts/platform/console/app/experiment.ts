/** What the playground's form holds → two simulations, their curves and what they come to. Pure. */
import { arrivalsOf, type Shape } from '../../../operate/scale/model/load.ts';
import { type Simulation, simulate } from '../../../operate/scale/model/model.ts';
import type { Curve } from '../../../operate/scale/model/statistics.ts';
import { CLUSTERS, type Cluster, type TunedRule } from '../../../operate/scale/rule.ts';
import type { RuleToday } from '../wire.ts';
import { count, duration } from './words.ts';

const TUNED = [
  'lagThreshold',
  'activationLagThreshold',
  'min',
  'max',
  'pollingInterval',
  'cooldownPeriod',
  'scaleDownStabilization',
  'maxAckPending',
] as const satisfies readonly (keyof TunedRule)[];
type Tuned = (typeof TUNED)[number];

/** As they were typed. */
export type Inputs = Readonly<Record<Tuned | 'messages' | 'seconds' | 'ms', string>> & {
  readonly shape: Shape;
  readonly cluster: Cluster['profile'];
};

export type Field = {
  readonly name: Tuned | 'messages' | 'seconds' | 'ms';
  readonly group: 'rule' | 'load';
  readonly title: string;
  readonly unit: string;
  readonly least: number;
  readonly most: number;
};

const rule = (name: Tuned, title: string, unit: string, least: number, most: number): Field => ({
  ...{ name, group: 'rule', title, unit, least, most },
});
export const FIELDS: readonly Field[] = [
  rule('lagThreshold', 'Lag threshold', 'a replica', 1, 1_000_000),
  rule('activationLagThreshold', 'Wakes above', 'of lag', 0, 1_000_000),
  rule('min', 'At least', 'replicas', 0, 1_000),
  rule('max', 'At most', 'replicas', 1, 1_000),
  rule('pollingInterval', 'Looks every', 's', 1, 3_600),
  rule('cooldownPeriod', 'Sleeps after', 's', 0, 86_400),
  rule('scaleDownStabilization', 'Shrinks after', 's', 0, 3_600),
  rule('maxAckPending', 'In work at once', 'messages', 1, 1_000_000),
  { name: 'messages', group: 'load', title: 'Messages', unit: 'in all', least: 1, most: 200_000 },
  { name: 'seconds', group: 'load', title: 'Within', unit: 's', least: 1, most: 86_400 },
  { name: 'ms', group: 'load', title: 'Handler takes', unit: 'ms', least: 1, most: 600_000 },
];

export const DEFAULTS: Readonly<Record<Shape, { messages: string; seconds: string }>> = {
  spike: { messages: '60000', seconds: '300' },
  day: { messages: '200000', seconds: '86400' },
  ramp: { messages: '100000', seconds: '600' },
};
/** As far from the middle time as handlers are that wait for a database. */
const SLOWER_AT_95 = 4;
const SEED = 1;
const MOST_POINTS = 400;

const tunedOf = (today: TunedRule): Record<Tuned, string> =>
  Object.fromEntries(TUNED.map((name) => [name, String(today[name])])) as Record<Tuned, string>;

/** Where nobody has measured. */
const ASSUMED_MS = 50;

export const inputsOf = ({ rule: { kubernetes }, ms }: RuleToday): Inputs => ({
  ...tunedOf(kubernetes),
  ...DEFAULTS.spike,
  ms: String(Math.max(1, Math.round(ms?.p50 ?? ASSUMED_MS))),
  shape: 'spike',
  cluster: 'kubernetes',
});

/** The same load, under the rule that is there today where `cluster` says. */
export const asToday = (inputs: Inputs, { rule: rules }: RuleToday, cluster = inputs.cluster): Inputs => ({
  ...inputs,
  ...tunedOf(rules[cluster]),
  cluster,
});

/** What is wrong with a field and what it may be; undefined when nothing is. */
export function wrong({ name, title, least, most }: Field, inputs: Inputs): string | undefined {
  const text = inputs[name];
  if (!/^\d{1,9}$/.test(text) || Number(text) < least || Number(text) > most)
    return `${title}: a whole number from ${count(least)} to ${count(most)}`;
  if (name === 'min' && Number(text) > Number(inputs.max)) return `${title}: no more than ${inputs.max}, the most`;
  return undefined;
}

const changed = (today: TunedRule, inputs: Inputs): TunedRule => ({
  ...today,
  ...Object.fromEntries(TUNED.map((name) => [name, Number(inputs[name])])),
});

/** Both under the same load; every field must be as it may be. */
export function tried(
  { rule: rules, service, ms: measured }: RuleToday,
  inputs: Inputs,
): { readonly today: Simulation; readonly proposed: Simulation } {
  const { shape } = inputs;
  const today = rules[inputs.cluster];
  const load = arrivalsOf({ shape, messages: Number(inputs.messages), seconds: Number(inputs.seconds) }, SEED);
  const slower = measured ? measured.p95 / measured.p50 : SLOWER_AT_95;
  const ms = { p50: Number(inputs.ms), p95: slower * Number(inputs.ms) };
  const cluster = CLUSTERS[inputs.cluster];
  const run = (rule: TunedRule) => simulate({ rule, load, service: { ...service, ms }, cluster, seed: SEED });
  return { today: run(today), proposed: run(changed(today, inputs)) };
}

/** The largest value that a curve has from a time until another; it keeps a value until its next point. */
function mostWithin(curve: Curve, from: number, until: number): number {
  let most = 0;
  for (const [index, [at, value]] of curve.entries()) {
    if (at >= until) break;
    const ends = curve[index + 1]?.[0] ?? Number.POSITIVE_INFINITY;
    if (ends > from) most = Math.max(most, value);
  }
  return most;
}

/** The times, and each curve's values at them: what a chart draws. */
export function sampled(curves: readonly Curve[], seconds: number): readonly (readonly number[])[] {
  const step = Math.max(seconds, 1) / MOST_POINTS;
  const times = Array.from({ length: MOST_POINTS }, (_, index) => index * step);
  return [times, ...curves.map((curve) => times.map((at) => mostWithin(curve, at, at + step)))];
}

export type Compared = {
  readonly title: string;
  readonly today: string;
  readonly proposed: string;
  readonly change: string;
  readonly verdict: 'better' | 'worse' | 'same';
};

/** Of all of them less is better; a change of less than 1 % is none. */
function compare(title: string, today: number, proposed: number, words: (value: number) => string): Compared {
  const both = { title, today: words(today), proposed: words(proposed) };
  const part = today === 0 ? (proposed === 0 ? 0 : 1) : proposed / today - 1;
  if (Math.abs(part) < 0.01) return { ...both, change: '–', verdict: 'same' };
  const change = today === 0 ? 'new' : `${part > 0 ? '+' : '−'}${count(Math.abs(Math.round(part * 100)))} %`;
  return { ...both, change, verdict: part < 0 ? 'better' : 'worse' };
}

const time = (seconds: number): string => duration(seconds * 1_000);
const whole = (value: number): string => count(Math.round(value));

export const compared = (today: Simulation, proposed: Simulation): Compared[] => [
  compare('Half wait at most', today.waits.p50, proposed.waits.p50, time),
  compare('95 of 100 wait at most', today.waits.p95, proposed.waits.p95, time),
  compare('The longest wait', today.waits.max, proposed.waits.max, time),
  compare('Most replicas', today.peakReplicas, proposed.peakReplicas, whole),
  compare('Pods started', today.podsStarted, proposed.podsStarted, whole),
  compare('Pod-seconds', today.podSeconds, proposed.podSeconds, whole),
  compare('Pod-seconds, always on', today.alwaysOnPodSeconds, proposed.alwaysOnPodSeconds, whole),
  compare('Left for nobody', today.left, proposed.left, whole),
];
