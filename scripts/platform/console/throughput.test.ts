import { expect, test } from 'vitest';
import type { Point } from '../telemetry/points.ts';
import { openThroughput, totalsOf } from './throughput.ts';

const point = (service: string, name: string, value: number, more: Partial<Point> = {}): Point => ({
  service,
  instance: 'one',
  name,
  kind: 'sum',
  attributes: {},
  at: 0,
  value,
  ...more,
});

test('what all processes of a function handled is counted together, and times are not counted as messages', () => {
  const totals = totalsOf([
    point('send-parcel', 'millrace.messages.handled', 2),
    point('send-parcel', 'millrace.messages.handled', 3, { instance: 'two' }),
    point('send-parcel', 'millrace.message.wait', 0.5, { kind: 'histogram', count: 5 }),
    point('parcels-api', 'millrace.http.request', 0.02, { kind: 'histogram', count: 7 }),
  ]);
  expect([...totals]).toEqual([
    ['send-parcel', 5],
    ['parcels-api', 7],
  ]);
});

test('the rate is that of the last five seconds', () => {
  const rates = openThroughput();
  const at = (second: number, total: number) => rates(second * 1_000, new Map([['send-parcel', total]]))('send-parcel');
  expect([at(0, 0), at(1, 50), at(2, 50), at(4, 50), at(5, 50), at(6, 50)]).toEqual([0, 50, 25, 12.5, 10, 0]);
});
