/** Decisions of Kubernetes' HPA, one sentence an outcome. */
import { expect, test } from 'vitest';
import { KUBERNETES_DEFAULTS, type TunedRule } from '../rule.ts';
import { decideHpa, HPA_REMEMBERS_NOTHING, type HpaMemory } from './hpa.ts';

const RULE: TunedRule = {
  ...KUBERNETES_DEFAULTS,
  pollingInterval: 5,
  cooldownPeriod: 120,
  min: 0,
  max: 40,
  lagThreshold: 10,
  activationLagThreshold: 0,
  inFlight: 5,
  maxAckPending: 1_000,
};
const NOW = 1_000_000;
const decide = (
  replicas: number,
  lag: number,
  rule: Partial<TunedRule> = {},
  memory: HpaMemory = HPA_REMEMBERS_NOTHING,
) => decideHpa({ ...RULE, ...rule }, replicas, lag, memory, NOW).replicas;
const wished = (replicas: number, secondsAgo: number): HpaMemory => ({
  wishes: [{ at: NOW - 1_000 * secondsAgo, replicas }],
  changes: [],
});
const changed = (by: number, secondsAgo: number): HpaMemory => ({
  wishes: [],
  changes: [{ at: NOW - 1_000 * secondsAgo, by }],
});

test.each([
  ['a lag within the tolerance changes nothing', 10, 109, {}, 10],
  ['a lag beyond the tolerance is rounded up', 10, 111, {}, 12],
  ['there is one replica, even with no lag', 1, 0, {}, 1],
  ['up come four pods, or as many as there are', 1, 400, {}, 5],
  ['of two policies the larger one counts', 8, 400, {}, 16],
  ['one policy alone is followed', 8, 400, { scaleUpPercent: 0 }, 12],
  ['there are never more than the most', 30, 4_000, {}, 40],
  ['down go all that are too many', 30, 5, {}, 1],
  ['a percentage that may go is kept', 30, 5, { scaleDownPercent: 50 }, 15],
  ['a number that may go is kept', 30, 5, { scaleDownPercent: 0, scaleDownPods: 2 }, 28],
])('%s', (_, replicas, lag, rule, to) => {
  expect(decide(replicas, lag, rule)).toBe(to);
});

test('down it goes only as far as was wanted at most within the window', () => {
  expect(decide(30, 5, {}, wished(20, 299))).toBe(20);
  expect(decide(30, 5, {}, wished(20, 301))).toBe(1);
});

test('up it goes only as far as was wanted at least within the window', () => {
  expect(decide(1, 50, { scaleUpStabilization: 60 }, wished(2, 59))).toBe(2);
  expect(decide(1, 50, { scaleUpStabilization: 60 }, wished(2, 61))).toBe(5);
});

test('what came within the period counts against what may come', () => {
  expect(decide(5, 400, {}, changed(4, 14))).toBe(5);
  expect(decide(5, 400, {}, changed(4, 16))).toBe(10);
});

test('what went within the period counts against what may go', () => {
  expect(decide(15, 5, { scaleDownPercent: 50 }, changed(-15, 14))).toBe(15);
  expect(decide(15, 5, { scaleDownPercent: 50 }, changed(-15, 16))).toBe(7);
});
