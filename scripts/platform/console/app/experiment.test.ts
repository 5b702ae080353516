import { expect, test } from 'vitest';
import { todayOf } from '../../../operate/scale/today.ts';
import { asToday, compared, FIELDS, type Inputs, inputsOf, sampled, tried, wrong } from './experiment.ts';

const today = async () => {
  const { name, rule, service } = await todayOf('create-order', undefined);
  return { name, rule: { local: rule, kubernetes: { ...rule, cooldownPeriod: 120 } }, service };
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

test('the same rule is the same on both sides, and a larger threshold makes fewer replicas', async () => {
  const rule = await today();
  const inputs = { ...inputsOf(rule), ms: '200' };
  const same = tried(rule, inputs);
  expect(same.proposed).toEqual(same.today);
  const fewer = tried(rule, { ...inputs, lagThreshold: '100000' });
  expect(fewer.proposed.peakReplicas).toBeLessThan(fewer.today.peakReplicas);
  expect(compared(fewer.today, fewer.proposed).find(({ title }) => title === 'Most replicas')?.verdict).toBe('better');
});

test('each place has a rule of its own, and the load stays when the place is another', async () => {
  const rule = await today();
  const here = asToday({ ...inputsOf(rule), messages: '500', max: '9' }, rule, 'local');
  expect(here).toMatchObject({ cluster: 'local', cooldownPeriod: '15', max: '4', messages: '500' });
  expect(asToday(here, rule, 'kubernetes').cooldownPeriod).toBe('120');
  expect(tried(rule, here).proposed).toEqual(tried(rule, here).today);
});

test('what the handler takes is as measured, if it was', async () => {
  const measured = { ...(await today()), ms: { p50: 7.6, p95: 30 } };
  expect([inputsOf(await today()).ms, inputsOf(measured).ms]).toEqual(['50', '8']);
});

test.each([
  [{ lagThreshold: '0' }, 'Lag threshold: a whole number from 1 to 1,000,000'],
  [{ max: '' }, 'At most: a whole number from 1 to 1,000'],
  [{ min: '9', max: '3' }, 'At least: no more than 3, the most'],
  [{ messages: '1e9' }, 'Messages: a whole number from 1 to 200,000'],
])('%j is wrong, and it says which field and what it may be', async (change, says) => {
  const inputs: Inputs = { ...inputsOf(await today()), ...change };
  expect(FIELDS.flatMap((field) => wrong(field, inputs) ?? [])).toEqual([says]);
});
