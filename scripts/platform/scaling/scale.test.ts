/** Decisions of scaling, one sentence an outcome. */
import { describe, expect, it } from 'vitest';
import type { EventRule, HttpRule } from '../../manifests/rules.ts';
import { decideEvent, type Failure, type Memory, NOTHING_REMEMBERED, type Reading } from './scale.ts';
import { average, decideHttp } from './scale-http.ts';

const rule: EventRule = {
  scaledBy: 'keda',
  name: 'parcel-emails',
  min: 0,
  max: 4,
  pollingIntervalSeconds: 1,
  cooldownSeconds: 15,
  scaleDownStabilizationSeconds: 15,
  triggers: [],
};
const lag = (metric: number, activation = 0): Reading => ({ what: 'lag', metric, threshold: 16, activation });
const unreadable: Failure = { what: 'lag', problem: 'no answer' };
const activeAt = (lastActiveAt: number, ...wishes: Memory['wishes']): Memory => ({ lastActiveAt, wishes });
const NOW = 100_000;

describe('A function at zero', () => {
  it('stays there while there is nothing to do', () => {
    expect(decideEvent(rule, 0, [lag(0)], NOTHING_REMEMBERED, NOW)).toMatchObject({
      replicas: 0,
      why: 'nothing to do',
    });
  });
  it('wakes with one replica, however much there is to do', () => {
    const decision = decideEvent(rule, 0, [lag(1_000)], NOTHING_REMEMBERED, NOW);
    expect(decision).toMatchObject({ replicas: 1, why: 'lag is 1000, above 0: woken', memory: { lastActiveAt: NOW } });
  });
  it('wakes with its least number of replicas', () => {
    expect(decideEvent({ ...rule, min: 2 }, 0, [lag(1)], NOTHING_REMEMBERED, NOW).replicas).toBe(2);
  });
  it('does not wake for a metric that only reaches the activation', () => {
    expect(decideEvent(rule, 0, [lag(5, 5)], NOTHING_REMEMBERED, NOW).replicas).toBe(0);
  });
  it('wakes for the second trigger alone', () => {
    expect(decideEvent(rule, 0, [lag(0), lag(6, 5)], NOTHING_REMEMBERED, NOW).replicas).toBe(1);
  });
  it('wakes for a trigger while another one cannot be read', () => {
    expect(decideEvent(rule, 0, [unreadable, lag(1)], NOTHING_REMEMBERED, NOW).replicas).toBe(1);
  });
  it('does not wake because a trigger cannot be read, and says why', () => {
    const decision = decideEvent(rule, 0, [unreadable], NOTHING_REMEMBERED, NOW);
    expect(decision).toMatchObject({ replicas: 0, why: 'left at 0: lag cannot be read: no answer' });
  });
});

describe('A function that is awake', () => {
  it('gets a replica for each threshold of its metric, begun ones included', () => {
    expect(decideEvent(rule, 1, [lag(33)], activeAt(NOW), NOW)).toMatchObject({
      replicas: 3,
      why: 'lag is 33, 16 a replica: 3',
    });
  });
  it('gets no more than its most', () => {
    expect(decideEvent(rule, 1, [lag(1_000)], activeAt(NOW), NOW)).toMatchObject({
      replicas: 4,
      why: 'lag is 1000, 16 a replica: 63, at most 4',
    });
  });
  it('follows the trigger that asks for most', () => {
    expect(decideEvent(rule, 1, [lag(17), lag(40), lag(1)], activeAt(NOW), NOW).replicas).toBe(3);
  });
  it('keeps the most that was wanted within the stabilisation window', () => {
    const memory = activeAt(NOW - 1_000, { at: NOW - 14_000, replicas: 3 }, { at: NOW - 1_000, replicas: 2 });
    expect(decideEvent(rule, 4, [lag(1)], memory, NOW)).toMatchObject({
      replicas: 3,
      why: 'lag is 1, 16 a replica: 1, but 3 were wanted in the last 15 s',
    });
  });
  it('goes down when the stabilisation window has passed', () => {
    const memory = activeAt(NOW - 1_000, { at: NOW - 15_000, replicas: 3 });
    expect(decideEvent(rule, 3, [lag(1)], memory, NOW).replicas).toBe(1);
  });
  it('is not raised by the wishes of the past', () => {
    const memory = activeAt(NOW - 1_000, { at: NOW - 1_000, replicas: 4 });
    expect(decideEvent(rule, 2, [lag(1)], memory, NOW).replicas).toBe(2);
  });
  it('keeps one replica during the cooldown', () => {
    const memory = activeAt(NOW - 14_999);
    expect(decideEvent(rule, 1, [lag(0)], memory, NOW)).toMatchObject({
      replicas: 1,
      memory: { lastActiveAt: NOW - 14_999 },
    });
  });
  it('goes to zero after the cooldown, counted from the last active poll', () => {
    expect(decideEvent(rule, 3, [lag(0)], activeAt(NOW - 15_000), NOW)).toMatchObject({
      replicas: 0,
      why: 'nothing to do for 15 s',
    });
  });
  it('goes to its least number, not to zero, after the cooldown', () => {
    expect(decideEvent({ ...rule, min: 1 }, 3, [lag(0)], activeAt(NOW - 15_000), NOW).replicas).toBe(1);
  });
  it('stays as it is when a trigger cannot be read, even after the cooldown', () => {
    expect(decideEvent(rule, 3, [unreadable, lag(0)], activeAt(NOW - 60_000), NOW).replicas).toBe(3);
  });
  it('is not lowered by one trigger while another cannot be read', () => {
    expect(decideEvent(rule, 3, [unreadable, lag(1)], activeAt(NOW), NOW)).toMatchObject({
      replicas: 3,
      why: 'lag is 1, 16 a replica: 1, but another trigger cannot be read',
    });
  });
});

const http: HttpRule = {
  scaledBy: 'knative',
  name: 'parcels-api',
  min: 0,
  max: 4,
  targetConcurrency: 20,
  utilization: 0.5,
  windowSeconds: 10,
  retentionSeconds: 5,
  containerConcurrency: 40,
  timeoutSeconds: 45,
  responseStartTimeoutSeconds: 10,
};
const load = (stable: number, sudden = stable, idleSeconds = 0) => ({ stable, sudden, idleSeconds });

describe('An HTTP function', () => {
  it('stays at zero without a request', () => {
    expect(decideHttp(http, 0, load(0, 0, 3))).toEqual({ replicas: 0, why: 'no request' });
  });
  it('wakes for one request', () => {
    expect(decideHttp(http, 0, load(0)).replicas).toBe(1);
  });
  it('gets a replica for each target times utilisation of requests at once', () => {
    expect(decideHttp(http, 2, load(21))).toEqual({
      replicas: 3,
      why: '21 requests at once over 10 s, 10 a replica: 3',
    });
  });
  it('gets no more than its most', () => {
    expect(decideHttp(http, 2, load(500)).why).toBe('500 requests at once over 10 s, 10 a replica: 50, at most 4');
    expect(decideHttp(http, 2, load(500)).replicas).toBe(4);
  });
  it('does not wait out a sudden rise to twice what its replicas are for', () => {
    expect(decideHttp(http, 1, load(3, 15)).replicas).toBe(2);
  });
  it('waits out a smaller rise', () => {
    expect(decideHttp(http, 2, load(11, 30)).replicas).toBe(2);
  });
  it('keeps its last replica for the window and the retention', () => {
    expect(decideHttp(http, 1, load(0, 0, 14.9)).replicas).toBe(1);
  });
  it('goes to zero after them', () => {
    expect(decideHttp(http, 1, load(0, 0, 15))).toEqual({
      replicas: 0,
      why: 'no request for 10 s, and kept 5 s longer',
    });
  });
  it('goes to its least number, not to zero', () => {
    expect(decideHttp({ ...http, min: 2 }, 3, load(0, 0, 60)).replicas).toBe(2);
  });
});

describe('The average of requests at once', () => {
  const samples = [1, 2, 3, 6].map((concurrency, index) => ({ at: 1_000 * index, concurrency }));
  it('counts the samples of the window alone', () => {
    expect(average(samples, 2, 3_500)).toBe(4.5);
  });
  it('is zero without samples', () => {
    expect(average([], 2, 3_500)).toBe(0);
  });
});
