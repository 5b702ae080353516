import { expect, test } from 'vitest';
import type { Point } from '../../../platform/telemetry/points.ts';
import { between, bucketsOf, quantileOf, totalOf } from './histogram.ts';

const point = (service: string, instance: string, buckets: number[]): Point => ({
  service,
  instance,
  name: 'handle',
  kind: 'histogram',
  attributes: {},
  at: 0,
  value: 0,
  buckets,
  bounds: [1, 2, 4],
});

test('the processes of a service are counted together, from one moment to another', () => {
  const before = bucketsOf([point('view', 'a', [5, 0, 0, 0])], 'view', 'handle');
  const later = [point('view', 'a', [7, 1, 0, 0]), point('view', 'b', [0, 3, 0, 0]), point('mail', 'c', [9, 9, 9, 9])];
  const measured = between(before, bucketsOf(later, 'view', 'handle'));
  expect(measured.counts).toEqual([2, 4, 0, 0]);
  expect(totalOf(measured)).toBe(6);
});

test('a quantile lies in its bucket as if all were evenly spread, and beyond the last bound at it', () => {
  const measured = { bounds: [1, 2, 4], counts: [2, 4, 2, 2] };
  expect(quantileOf(measured, 0.2)).toBe(1);
  expect(quantileOf(measured, 0.5)).toBe(1.75);
  expect(quantileOf(measured, 0.99)).toBe(4);
});

test('of nothing there is no quantile', () => {
  expect(quantileOf(bucketsOf([], 'view', 'handle'), 0.5)).toBeUndefined();
});
