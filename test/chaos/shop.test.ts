import { expect, test } from 'vitest';
import { type FaultName, planJourneys, planOf } from '../../scripts/shop/chaos/plan.ts';
import { report } from '../../scripts/shop/chaos/report.ts';
import { runChaos } from '../../scripts/shop/chaos/run.ts';

const SEED = 1;
const LOAD_MS = 120_000;
const ORDERS_PER_SECOND = 3;
const FAULTS: readonly FaultName[] = [
  'kill every function',
  'kill nats',
  'kill user-service',
  'kill postgres',
  'repeat commands',
  'cut postgres',
  'repeat events',
  'freeze nats',
  'poison',
  'full disk',
  'swallow nats',
  'mail refused',
];

test('a shop that is killed, cut off, repeated and poisoned under load keeps every promise, and heals', {
  timeout: 600_000,
}, async () => {
  const lines: string[] = [];
  const result = await runChaos({
    faults: planOf(SEED, FAULTS),
    journeys: planJourneys(SEED, LOAD_MS, ORDERS_PER_SECOND),
    settleMs: 240_000,
    say: (line) => void lines.push(line),
  });
  if (result.violations.length > 0) console.log(`${lines.join('\n')}\n${report(result)}`);
  expect(result.violations).toEqual([]);
  expect(result.injected.map(({ name }) => name)).toEqual(FAULTS.filter((name) => !result.impossible.has(name)));
  expect(result.snapshot.answers.filter(({ status }) => status === 201).length).toBeGreaterThan(100);
});
