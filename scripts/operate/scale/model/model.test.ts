import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLUSTERS, type Cluster, KUBERNETES_DEFAULTS, type TunedRule } from '../rule.ts';
import { handledOneMillisecondAtATime } from './brute-force.fixture.ts';
import { arrivalsOf, SHAPES } from './load.ts';
import { type Situation, simulate } from './model.ts';

const RULE: TunedRule = {
  ...KUBERNETES_DEFAULTS,
  pollingInterval: 1,
  cooldownPeriod: 5,
  min: 0,
  max: 4,
  lagThreshold: 8,
  activationLagThreshold: 0,
  scaleDownStabilization: 5,
  inFlight: 4,
  maxAckPending: 1_000,
};
const always = (ms: number) => ({ p50: ms, p95: ms });
const LOCAL: Cluster = { ...CLUSTERS.local, podStart: always(300) };
const situation = (load: readonly number[], more: Partial<Situation> = {}): Situation => ({
  rule: RULE,
  load: Float64Array.from(load),
  service: { ms: always(200), batch: 1 },
  cluster: LOCAL,
  seed: 1,
  ...more,
});

const arrivals = fc
  .array(fc.integer({ min: 0, max: 12_000 }), { minLength: 1, maxLength: 80 })
  .map((times) => times.toSorted((a, b) => a - b));
const rules = fc.record({
  pollingInterval: fc.integer({ min: 1, max: 4 }),
  cooldownPeriod: fc.integer({ min: 0, max: 8 }),
  min: fc.integer({ min: 0, max: 2 }),
  max: fc.integer({ min: 2, max: 5 }),
  lagThreshold: fc.integer({ min: 1, max: 10 }),
  inFlight: fc.integer({ min: 1, max: 4 }),
  maxAckPending: fc.integer({ min: 1, max: 12 }),
});
const cases = fc.record({
  load: arrivals,
  rule: rules.map((drawn): TunedRule => ({ ...RULE, ...drawn })),
  service: fc.record({ ms: fc.integer({ min: 1, max: 900 }).map(always), batch: fc.integer({ min: 1, max: 3 }) }),
  cluster: fc.constantFrom(LOCAL, { ...CLUSTERS.kubernetes, podStart: always(800) }),
  seed: fc.integer({ min: 0, max: 1_000 }),
});

test('small cases come out as when every millisecond is looked at', () => {
  fc.assert(
    fc.property(cases, ({ load, ...more }) => {
      const one = situation(load, more);
      const { waits, replicas, handled, podSeconds } = simulate(one);
      const slow = handledOneMillisecondAtATime(one);
      expect(handled).toBe(slow.handled);
      expect(waits.max).toBeCloseTo(slow.longestWait, 6);
      expect(waits.p50).toBeCloseTo(slow.middleWait, 6);
      expect(replicas).toEqual(slow.replicas);
      expect(podSeconds).toBeCloseTo(slow.podSeconds, 6);
    }),
    { numRuns: 150 },
  );
});

test('all that came is handled or left, and nothing before it came', () => {
  const drawn = fc.record({ ...{ p50: fc.integer({ min: 1, max: 500 }), p95: fc.integer({ min: 1, max: 2_000 }) } });
  fc.assert(
    fc.property(cases, drawn, fc.integer({ min: 0, max: 20 }), ({ load, rule, ...more }, ms, activation) => {
      const told = simulate(
        situation(load, {
          ...more,
          rule: { ...rule, activationLagThreshold: activation },
          service: { ...more.service, ms },
        }),
      );
      expect(told.handled + told.left).toBe(load.length);
      expect(told.waits.p50).toBeGreaterThanOrEqual(0);
      expect(told.left).toBeLessThanOrEqual(activation);
      for (const [, count] of told.replicas) expect(count).toBeLessThanOrEqual(rule.max);
      expect(told.podSeconds).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 200 },
  );
});

describe('What is to be expected of a change', () => {
  const nobodyWaitsLonger = (after: Partial<TunedRule>, slower: (by: number) => Partial<TunedRule>) =>
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 4 }), (load, by) => {
        const [slow, fast] = [slower(by), { ...slower(by), ...after }].map((change) =>
          simulate(situation(load, { rule: { ...RULE, ...change } })),
        );
        expect(fast?.waits.max).toBeLessThanOrEqual((slow?.waits.max ?? 0) + 1e-9);
        expect(fast?.waits.p50).toBeLessThanOrEqual((slow?.waits.p50 ?? 0) + 1e-9);
      }),
    );

  test('with more replicas that are always on nobody waits longer', () => {
    nobodyWaitsLonger({ min: 5, max: 5 }, (by) => ({ min: by, max: by, inFlight: 1 }));
  });

  test('when the one replica never sleeps nobody waits longer', () => {
    nobodyWaitsLonger({ min: 1 }, (by) => ({ max: 1, cooldownPeriod: by }));
  });

  test('an activation above 0 strands as many messages', () => {
    const few = [0, 10, 20, 30, 40];
    expect(simulate(situation(few, { rule: { ...RULE, activationLagThreshold: 5 } }))).toMatchObject({
      left: 5,
      podsStarted: 0,
    });
    expect(simulate(situation([...few, 50], { rule: { ...RULE, activationLagThreshold: 5 } })).left).toBe(0);
  });

  test('a small maxAckPending makes further replicas useless', () => {
    const load = Array.from({ length: 400 }, () => 0);
    const wide = simulate(situation(load));
    const narrow = simulate(situation(load, { rule: { ...RULE, maxAckPending: 4 } }));
    expect(narrow.peakReplicas).toBe(4);
    expect(narrow.waits.p95).toBeGreaterThan(2 * wide.waits.p95);
  });
});

test('the same seed gives the same, and another one does not', () => {
  const load = arrivalsOf({ shape: 'spike', messages: 500, seconds: 60 }, 1);
  const service = { ms: { p50: 100, p95: 400 }, batch: 1 };
  const run = (seed: number) => simulate({ ...situation([]), load, service, seed });
  expect(run(7)).toEqual(run(7));
  expect(run(8)).not.toEqual(run(7));
});

test.each(SHAPES)('a %s has as many messages as it should, in order and within its time', (shape) => {
  const load = arrivalsOf({ shape, messages: 1_234, seconds: 60 }, 3);
  expect(load).toHaveLength(1_234);
  expect(load.toSorted()).toEqual(load);
  expect(load.at(0)).toBeGreaterThanOrEqual(0);
  expect(load.at(-1)).toBeLessThanOrEqual(60_000);
});

test('600 messages on a cluster of one node come out as they were measured there', () => {
  // Seen: woken after 1.7 s, four replicas after 6.7 s, none after 34 s; 200 ms a message, 4 at a time.
  const rule = {
    ...RULE,
    pollingInterval: 2,
    cooldownPeriod: 20,
    scaleDownStabilization: 15,
    scaleDownPercent: 50,
    useCachedMetrics: 1,
    maxAckPending: 64,
  };
  const cluster = { ...CLUSTERS.kubernetes, podStart: always(2_200) };
  for (let seed = 1; seed <= 20; seed += 1) {
    const load = Array.from({ length: 600 }, () => 0);
    const { replicas, peakReplicas } = simulate(situation(load, { rule, cluster, seed }));
    const wokenAt = replicas.find(([, count]) => count === 1)?.[0] ?? 0;
    const fullAt = replicas.find(([, count]) => count === 4)?.[0] ?? 0;
    expect(wokenAt).toBeLessThanOrEqual(2);
    expect(peakReplicas).toBe(4);
    expect(fullAt - wokenAt).toBeLessThanOrEqual(15);
    const [endedAt, last] = replicas.at(-1) ?? [0, -1];
    expect(last).toBe(0);
    expect(endedAt).toBeGreaterThan(26);
    expect(endedAt).toBeLessThan(42);
  }
});

test('a million messages take seconds', () => {
  const load = arrivalsOf({ shape: 'day', messages: 1_000_000, seconds: 86_400 }, 1);
  const service = { ms: { p50: 500, p95: 900 }, batch: 1 };
  const began = performance.now();
  const { handled, peakReplicas } = simulate({ ...situation([]), load, service });
  expect(handled).toBe(1_000_000);
  expect(peakReplicas).toBe(4);
  expect(performance.now() - began).toBeLessThan(20_000);
});
