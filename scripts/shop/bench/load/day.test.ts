import { expect, test } from 'vitest';
import { DAY, moments, rates, type Span, secondsOf } from './day.ts';

const span = (seconds: number, from: number, to: number): Span => ({ name: 'a span', seconds, from, to });

test('orders of a steady span are evenly apart, and begin after the spans before', () => {
  expect(moments([span(10, 0, 0), span(2, 2, 2)])).toEqual([10_250, 10_750, 11_250, 11_750]);
});

test('the steeper a ramp has grown, the closer its orders', () => {
  const sent = moments([span(10, 0, 4)]);
  expect(sent).toHaveLength(20);
  const gaps = sent.slice(1).map((at, index) => at - (sent[index] ?? 0));
  expect(gaps).toEqual([...gaps].sort((a, b) => b - a));
});

test('rates are those at the ends of each span', () => {
  expect(rates([span(10, 0, 4), span(5, 2, 2)])).toEqual([
    [0, 0],
    [10, 4],
    [10, 2],
    [15, 2],
  ]);
});

test('the day has a night, and a peak that comes at once with ten times the load', () => {
  expect(moments(DAY).every((at) => at > 0 && at < 1_000 * secondsOf(DAY))).toBe(true);
  const steps = DAY.slice(1).map(({ from }, index) => from / (DAY[index]?.to ?? 1));
  expect(steps).toContain(10);
  expect([DAY[0]?.to, DAY.at(-1)?.from]).toEqual([0, 0]);
});
