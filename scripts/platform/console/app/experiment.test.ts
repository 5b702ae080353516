import { expect, test } from 'vitest';
import { KUBERNETES_DEFAULTS, type TunedRule } from '../../../operate/scale/rule.ts';
import type { RuleToday } from '../wire.ts';
import { asToday, compared, FIELDS, type Inputs, inputsOf, sampled, tried, wrong } from './experiment.ts';

const local: TunedRule = {
  ...KUBERNETES_DEFAULTS,
  ...{ lagThreshold: 256, activationLagThreshold: 0, min: 0, max: 4 },
  ...{ pollingInterval: 1, cooldownPeriod: 15, scaleDownStabilization: 15 },
  ...{ useCachedMetrics: 1, inFlight: 128, maxAckPending: 512 },
};
const today: RuleToday = {
  name: 'send-parcel',
  rule: { local, kubernetes: { ...local, cooldownPeriod: 120 } },
  service: { batch: 1 },
};

test('a curve keeps its value until its next point, and a peak between two pictures is not lost', () => {
  const [times, values] = sampled(
    [
      [
        [0, 0],
        [10.1, 7],
        [10.2, 1],
      ],
    ],
    400,
  );
  expect(times?.slice(9, 13)).toEqual([9, 10, 11, 12]);
  expect(values?.slice(9, 13)).toEqual([0, 7, 1, 1]);
});

test('the same rule is the same on both sides, and a larger threshold makes fewer replicas', () => {
  const inputs = { ...inputsOf(today), ms: '200' };
  const same = tried(today, inputs);
  expect(same.proposed).toEqual(same.today);
  const fewer = tried(today, { ...inputs, lagThreshold: '100000' });
  expect(fewer.proposed.peakReplicas).toBeLessThan(fewer.today.peakReplicas);
  expect(compared(fewer.today, fewer.proposed).find(({ title }) => title === 'Most replicas')?.verdict).toBe('better');
});

test('each place has a rule of its own, and the load stays when the place is another', () => {
  const here = asToday({ ...inputsOf(today), messages: '500', max: '9' }, today, 'local');
  expect(here).toMatchObject({ cluster: 'local', cooldownPeriod: '15', max: '4', messages: '500' });
  expect(asToday(here, today, 'kubernetes').cooldownPeriod).toBe('120');
  expect(tried(today, here).proposed).toEqual(tried(today, here).today);
});

test('what the handler takes is as measured, if it was', () => {
  const measured = { ...today, ms: { p50: 7.6, p95: 30 } };
  expect([inputsOf(today).ms, inputsOf(measured).ms]).toEqual(['50', '8']);
});

test.each([
  [{ lagThreshold: '0' }, 'Lag threshold: a whole number from 1 to 1,000,000'],
  [{ max: '' }, 'At most: a whole number from 1 to 1,000'],
  [{ min: '9', max: '3' }, 'At least: no more than 3, the most'],
  [{ messages: '1e9' }, 'Messages: a whole number from 1 to 200,000'],
])('%j is wrong, and it says which field and what it may be', (change, says) => {
  const inputs: Inputs = { ...inputsOf(today), ...change };
  expect(FIELDS.flatMap((field) => wrong(field, inputs) ?? [])).toEqual([says]);
});
