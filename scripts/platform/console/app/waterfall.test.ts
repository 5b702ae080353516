import { expect, test } from 'vitest';
import type { TraceSpan } from '../wire.ts';
import { waterfalls } from './waterfall.ts';

const span = (
  traceId: string,
  spanId: string,
  parentId: string,
  name: string,
  start: number,
  end: number,
): TraceSpan => ({
  traceId,
  spanId,
  parentId,
  service: 'send-parcel',
  name,
  start,
  end,
  attributes: {},
});

test('a span is below what it is part of, in order of time, at its place in the trace', () => {
  const [trace] = waterfalls([
    span('t', 'c', 'b', 'wait lag', 50, 60),
    span('t', 'd', 'a', 'later', 80, 100),
    span('t', 'b', 'a', 'send', 50, 70),
    span('t', 'a', 'elsewhere', 'POST /v1/parcels', 0, 100),
  ]);
  expect(trace?.title).toBe('POST /v1/parcels');
  expect(trace?.bars.map(({ span: { spanId }, depth, from, width }) => [spanId, depth, from, width])).toEqual([
    ['a', 0, 0, 1],
    ['b', 1, 0.5, 0.2],
    ['c', 2, 0.5, 0.1],
    ['d', 1, 0.8, 0.2],
  ]);
  expect(trace?.bars.map(({ kind }) => kind)).toEqual(['work', 'work', 'wait', 'work']);
});

test('each trace is by itself, the oldest first, and a ring of spans ends', () => {
  const found = waterfalls([
    span('late', 'a', '', 'track', 500, 600),
    span('early', 'a', '', 'send', 0, 10),
    span('ring', 'a', 'b', 'x', 0, 1),
    span('ring', 'b', 'a', 'y', 0, 1),
  ]);
  expect(found.map(({ traceId }) => traceId)).toEqual(['early', 'late']);
});
