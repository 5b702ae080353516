/** Spans and statements without a recorder, and what they are called. */
import { expect, test } from 'vitest';
import { summaryOf } from './telemetry/query-spans.ts';
import { continueTrace, currentTrace, inSpan, inTrace, logFields, noteSubject, readTrace } from './trace.ts';

const SUBJECT = '0190b6a0-0000-7000-8000-000000000001';
const received = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';

test('a trace that is not to be recorded goes on as such', () => {
  expect(continueTrace(received).traceparent).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-00$/);
  expect(readTrace(received)).toEqual({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', traceparent: received });
  expect(readTrace('00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01')).toBeUndefined();
});

test('without a recorder a span hands the trace on as it came, and its failure too', async () => {
  const seen = await inSpan('some span', { parent: received }, async ({ trace }) => [trace, currentTrace()]);
  expect(seen.map((trace) => trace?.traceparent)).toEqual([received, received]);
  expect(currentTrace()).toBeUndefined();
  await expect(inSpan('some span', {}, () => Promise.reject(new Error('planted')))).rejects.toThrow('planted');
});

test('lines of the log within a trace name it, and the order once that is known', async () => {
  const trace = continueTrace(received);
  const seen = await inTrace(trace, async () => {
    const before = logFields();
    noteSubject('ada@example.com');
    const wrong = logFields();
    noteSubject(SUBJECT);
    return [before, wrong, logFields()];
  });
  const { traceId } = trace;
  expect(seen).toEqual([{ traceId }, { traceId }, { traceId, subject: SUBJECT }]);
  expect(logFields()).toEqual({});
});

test.each([
  ['select * from parcels where id = $1', 'SELECT parcels'],
  [' insert into users (email) values ($1)', 'INSERT users'],
  ['begin', 'BEGIN'],
  [{ name: 'outbox-remove', text: 'delete from outbox where event_id = any($1)' }, 'DELETE outbox-remove'],
  [{ name: 'append-parcel-2', text: 'with a as (insert into b values ($1)) select 1' }, 'INSERT append-parcel-2'],
  [{ name: 'recent', text: 'with a as (select 1) select * from a' }, 'SELECT recent'],
])('%j is %s', (statement, summary) => {
  expect(summaryOf(statement)).toBe(summary);
});
