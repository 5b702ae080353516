import { expect, test } from 'vitest';
import { request, SUBJECT, sent, span } from '../../../test/support/spans.ts';
import { openPointStore, openTraceStore } from './stores.ts';

const LIMITS = { traces: 3, bytes: 1_000_000, spansOfOne: 4 };
const inTrace = (name: string) => span('send-parcel', name, 0, 1, { traceId: name.padEnd(32, '0') });
const idsOf = (spans: readonly { traceId: string }[]) => new Set(spans.map(({ traceId }) => traceId));

test('of too many traces the one that got no span for longest goes', () => {
  const store = openTraceStore(LIMITS);
  store.add(['a', 'b', 'c'].map(inTrace));
  store.add([inTrace('a'), inTrace('d')]);
  const kept = ['a', 'b', 'c', 'd'].map((name) => store.trace(name.padEnd(32, '0')).length);
  expect(kept).toEqual([2, 0, 1, 1]);
});

test('of traces that are too large together the oldest go, and one that is too large by itself', () => {
  const store = openTraceStore({ ...LIMITS, bytes: 1_500 });
  store.add(['a', 'b', 'c'].map(inTrace));
  expect(store.trace('a'.padEnd(32, '0'))).toEqual([]);
  expect(store.trace('c'.padEnd(32, '0'))).toHaveLength(1);
  store.add([1, 2, 3].map(() => inTrace('c')));
  expect(store.trace('c'.padEnd(32, '0'))).toEqual([]);
});

test('a trace with its fill of spans keeps those that it has, and one that comes twice is there once', () => {
  const store = openTraceStore(LIMITS);
  const first = inTrace('a');
  store.add([first, first, ...[1, 2, 3, 4].map(() => inTrace('a'))]);
  expect(store.trace(first.traceId)).toHaveLength(4);
  expect(store.trace(first.traceId)[0]).toEqual(first);
});

test('what is found are whole traces, with those that they are linked with, and no other', () => {
  const store = openTraceStore({ ...LIMITS, traces: 10 });
  const post = request(0, 100);
  const command = sent(post, 'command.parcel.send', 'c1', 10);
  const batch = inTrace('b');
  const view = span('parcel-view', 'process parcel.sent', 20, 30, { within: command, links: [batch] });
  const linking = span('parcel-labels', 'work', 0, 1, { traceId: 'e'.repeat(32), links: [command] });
  store.add([post, command, batch, view, linking, inTrace('c')]);
  expect(idsOf(store.find('cloudevents.event_subject', SUBJECT))).toEqual(idsOf([post, batch, linking]));
  expect(store.find('cloudevents.event_subject', SUBJECT)).toHaveLength(5);
  expect(store.find('messaging.message.id', 'c1')).toHaveLength(5);
  expect(store.find('messaging.message.id', 'c2')).toEqual([]);
});

test('of each series of each process the newest point is kept, and of too many series the newest', () => {
  const store = openPointStore(2);
  const point = (instance: string, value: number) => ({
    service: 'parcel-view',
    instance,
    name: 'millrace.messages.handled',
    kind: 'sum' as const,
    attributes: { type: 'parcel.sent' },
    at: value,
    value,
  });
  store.add([point('1', 1), point('2', 2), point('1', 3)]);
  expect(store.latest().map(({ value }) => value)).toEqual([2, 3]);
  store.add([point('3', 4)]);
  expect(store.latest().map(({ instance }) => instance)).toEqual(['1', '3']);
});
