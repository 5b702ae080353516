import { expect, test } from 'vitest';
import type { FunctionState, Grounds } from '../../../platform/scaling/scaler.ts';
import { textOf } from './text.ts';

const NOW = Date.parse('2026-11-20T12:00:00.000Z');
const ago = (seconds: number): string => new Date(NOW - 1_000 * seconds).toISOString();

type Keda = Extract<Grounds, { by: 'keda' }>;
const KEDA: Keda = {
  by: 'keda',
  pollingIntervalSeconds: 1,
  cooldownSeconds: 15,
  scaleDownStabilizationSeconds: 15,
  read: [{ what: 'lag of PARCELS/parcel-emails', metric: 0, threshold: 16, activation: 0 }],
};
const lag = (metric: number): Pick<Keda, 'read'> => ({
  read: [{ what: 'lag of PARCELS/parcel-emails', metric, threshold: 16, activation: 0 }],
});

const said = (scaling: Grounds, more: Partial<FunctionState> = {}): string =>
  textOf(
    {
      name: 'parcel-emails',
      kind: 'notifier',
      replicas: 1,
      ready: 1,
      pids: [1],
      lag: 0,
      pending: 0,
      min: 0,
      max: 4,
      changes: [],
      scaling,
      ...more,
    },
    NOW,
  );

test('one that sleeps says so, with what would wake it and its last change', () => {
  const changes = [
    { at: ago(5), from: 1, to: 0, why: 'nothing to do for 15 s' },
    { at: ago(60), from: 0, to: 1, why: 'lag of PARCELS/parcel-emails is 1, above 0: woken' },
  ];
  expect(said(KEDA, { replicas: 0, ready: 0, changes }).split('\n')).toEqual([
    'parcel-emails has 0 replicas; at least 0, at most 4.',
    'Since 2026-11-20T11:59:55.000Z: nothing to do for 15 s',
    '',
    '  lag of PARCELS/parcel-emails is 0, 16 a replica: asks for none; above 0 it wakes the function',
    '  It sleeps until there is something to do.',
    '  It looks again every 1 s.',
    '',
    'Last changes:',
    '  2026-11-20T11:59:55.000Z  1 → 0  nothing to do for 15 s',
    '  2026-11-20T11:59:00.000Z  0 → 1  lag of PARCELS/parcel-emails is 1, above 0: woken',
  ]);
});

test('one with nothing to do says how much of its cooldown is left', () => {
  expect(said({ ...KEDA, lastActiveAt: ago(11) })).toContain('Nothing to do for 11 s of 15 s: it sleeps in 4 s.');
});

test('one that may not have more says its limit', () => {
  expect(said({ ...KEDA, ...lag(100) }, { replicas: 4, ready: 2 })).toMatch(
    /has 4 replicas, 2 of them ready.*asks for 7;.*More than 4 replicas are asked for: maxReplicaCount is 4\./s,
  );
});

test('one that keeps more than it needs says why and for how long', () => {
  const held = { replicas: 3, until: ago(-6) };
  expect(said({ ...KEDA, ...lag(2), held }, { replicas: 3 })).toContain(
    'Fewer would do, but 3 were wanted of late: kept for 6 s more.',
  );
});

test('one whose lag cannot be read says what is wrong', () => {
  const read = [{ what: 'lag of PARCELS/parcel-emails', problem: 'no consumer parcel-emails' }];
  const text = said({ ...KEDA, read }, { problem: 'lag of PARCELS/parcel-emails cannot be read: no consumer' });
  expect(text).toContain('It has a problem: lag of PARCELS/parcel-emails cannot be read');
  expect(text).toContain('cannot be read: no consumer parcel-emails');
});

test('one that never sleeps says so', () => {
  expect(said(KEDA, { min: 1 })).toContain('It never sleeps: at least 1 replica.');
});

test('an HTTP function says how many requests there are, and when it sleeps', () => {
  const knative: Grounds = {
    by: 'knative',
    targetConcurrency: 100,
    utilization: 0.7,
    windowSeconds: 10,
    retentionSeconds: 5,
    containerConcurrency: 200,
    stable: 80,
    sudden: 140,
    lastActiveAt: ago(2),
  };
  const busy = said(knative, { lag: 90, pending: 10, replicas: 2 });
  expect(busy).toContain(
    '90 requests in work or waiting, 10 of them for a replica; a replica takes at most 200 at once',
  );
  expect(busy).toContain('80 at once over 10 s, 140 over 1 s; 70 a replica: asks for 2');
  expect(busy).toContain('15 s after its last request it sleeps');
  expect(said(knative)).toContain('No request for 2 s of 10 s and 5 s: it sleeps in 13 s.');
  expect(said(knative, { replicas: 0 })).toContain('It sleeps until a request comes.');
});

test('a service says that it is always on', () => {
  expect(said({ by: 'hpa' }, { min: 2, max: 6 })).toContain('always on: one replica here, and 2 to 6 on a cluster');
});
