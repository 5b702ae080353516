import { expect, test } from 'vitest';
import { FAULT_NAMES, FAULTS, planFor, planJourneys } from '../../scripts/shop/chaos/plan.ts';

const MINUTE_MS = 60_000;

test('the same seed means the same faults and orders, another seed means others', () => {
  expect(planFor(7, MINUTE_MS)).toEqual(planFor(7, MINUTE_MS));
  expect(planJourneys(7, MINUTE_MS, 5)).toEqual(planJourneys(7, MINUTE_MS, 5));
  expect(planFor(8, MINUTE_MS)).not.toEqual(planFor(7, MINUTE_MS));
  expect(planJourneys(8, MINUTE_MS, 5)).not.toEqual(planJourneys(7, MINUTE_MS, 5));
});

test('faults fill the time that there is and no more, each within its bounds, and in a long run each occurs', () => {
  const faults = planFor(7, 5 * MINUTE_MS);
  const spentMs = faults.reduce((sum, { pauseMs, lastsMs }) => sum + pauseMs + lastsMs, 0);
  expect(spentMs).toBeLessThanOrEqual(5 * MINUTE_MS);
  expect(spentMs).toBeGreaterThan(4.5 * MINUTE_MS);
  expect(new Set(faults.map(({ name }) => name))).toEqual(new Set(FAULT_NAMES));
  for (const { name, lastsMs } of faults) {
    expect(lastsMs).toBeGreaterThanOrEqual(FAULTS[name][0]);
    expect(lastsMs).toBeLessThanOrEqual(FAULTS[name][1]);
  }
});

test('each order has a key of its own, and its time within the run', () => {
  const journeys = planJourneys(7, MINUTE_MS, 5);
  expect(journeys).toHaveLength(300);
  expect(new Set(journeys.map(({ key }) => key)).size).toBe(300);
  for (const { atMs } of journeys) expect(atMs).toBeLessThanOrEqual(MINUTE_MS);
});
