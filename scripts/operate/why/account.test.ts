import { expect, test } from 'vitest';
import { BEGAN, handled, parked, request, SUBJECT, sent, span } from '../../../test/support/spans.ts';
import type { Span } from '../../platform/telemetry/spans.ts';
import { accountOf } from './account.ts';
import type { Present } from './state.ts';
import { textOf } from './text.ts';

const CONSUMERS: Readonly<Record<string, string[]>> = {
  'command.parcel.send': ['send-parcel'],
  'command.parcel.expire': ['expire-parcel'],
  'parcel.sent': ['parcel-view', 'parcel-emails'],
};

const timed = (message: Span, due: string): Span => ({
  ...message,
  attributes: { ...message.attributes, 'millrace.send.due_at': due },
});
const NOTHING: Present = { deadLetters: [], parked: [], lag: {} };

/** The account of a parcel, some time after it was sent. */
function account(spans: readonly Span[], { after = 120_000, present = NOTHING as Present | 'not asked' } = {}) {
  const now = BEGAN + after;
  const found = accountOf(
    spans,
    { consumersOf: (type) => CONSUMERS[type] ?? [], notifies: (name) => name === 'parcel-emails' },
    present === 'not asked' ? undefined : present,
    now,
    SUBJECT,
  );
  if (!found) throw new Error('no account');
  return { ...found, text: textOf(found, now) };
}

/** A parcel that is sent 100 ms after its request, and in the read model 50 ms later; its e-mail is left to the test. */
function shipped({ by = { times: [11, 31, 100] } as Parameters<typeof handled>[2] } = {}) {
  const post = request(0, by.times[2] + 20);
  const command = sent(post, 'command.parcel.send', 'c1', 10);
  const [wait, send] = handled('send-parcel', command, by);
  const at = by.times[2] - 10;
  const created = sent(send, 'parcel.sent', 'e1', at);
  const view = handled('parcel-view', created, { times: [at, at + 20, at + 60] });
  return { created, spans: [post, command, wait, send, created, ...view] };
}

const smtpFails = (process: Span): Span =>
  span('parcel-emails', 'send', process.start - BEGAN, process.end - BEGAN, {
    within: process,
    kind: 'client',
    error: 'smtp-unavailable',
    attributes: { 'peer.service': 'smtp' },
  });

test('a parcel without delays: nothing was slow, and all of it is done', () => {
  const { created, spans } = shipped();
  const email = handled('parcel-emails', created, { times: [91, 120, 300] });
  const { sentence, standing, advice, text } = account([...spans, ...email]);
  expect(sentence).toBe('Nothing was slow: The notification of parcel-emails went out 300 ms after POST /v1/parcels.');
  expect(standing).toEqual(['All of it is done.']);
  expect(advice).toEqual(['Nothing.']);
  expect(text).toContain('12:00:00.000  POST /v1/parcels  parcels-api  201 done in 120 ms');
  expect(text).toContain('12:00:00.011  command.parcel.send → send-parcel  waited 20 ms, done in 69 ms');
});

test('a cold start is told with how long the function slept and started, and how to keep it awake', () => {
  const by = { times: [11, 1_911, 2_000], reason: 'cold-start', slept: 1_200, started: 600 } as const;
  const { created, spans } = shipped({ by });
  const email = handled('parcel-emails', created, { times: [1_991, 2_000, 2_100] });
  const { sentence, advice, text } = account([...spans, ...email]);
  expect(sentence).toBe(
    'The notification of parcel-emails went out 2.1 s after POST /v1/parcels: 1.8 s of it because send-parcel slept and had to start.',
  );
  expect(advice).toEqual([
    'To keep one send-parcel awake: minReplicaCount: 1 in knative/functions/send-parcel/scaledobject.yaml',
  ]);
  expect(text).toContain('waited 1.9 s (slept 1.2 s, started 600 ms), done in 89 ms');
});

test('a mail server that was away is the cause, with the time that it cost and the attempts', () => {
  const { created, spans } = shipped();
  const [wait1, first] = handled('parcel-emails', created, { times: [91, 100, 600], error: 'smtp-unavailable' });
  const again = { reason: 'retry', error: 'smtp-unavailable', attempt: 2 };
  const [wait2, second] = handled('parcel-emails', created, { times: [2_000, 2_010, 2_500], ...again });
  const third = handled('parcel-emails', created, {
    times: [40_000, 41_000, 42_100],
    reason: 'retry',
    slept: 200,
    started: 300,
    attempt: 3,
  });
  const waits = [parked(first, 2_000), parked(second, 40_000)];
  const mails = [smtpFails(first), smtpFails(second)];
  const { sentence, shares, advice, text } = account([
    ...spans,
    ...[wait1, first, wait2, second],
    ...third,
    ...waits,
    ...mails,
  ]);
  expect(sentence).toBe(
    'The notification of parcel-emails went out 42.1 s after POST /v1/parcels: 40.4 s of it waiting because parcel-emails could not reach smtp ' +
      '(smtp-unavailable), 3 attempts.',
  );
  expect(shares.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(42_100, -1);
  expect(advice).toEqual(['Nothing: it is over. The log of parcel-emails has more of the error']);
  expect(text).toContain(
    'attempt 2: waited 10 ms, could not reach smtp (smtp-unavailable) after 490 ms, again at 2026',
  );
  expect(text).toContain('attempt 3: waited 1.0 s (slept 200 ms, started 300 ms), done in 1.1 s');
});

test('what waits for another attempt is told with when it comes, and that nothing needs to be done', () => {
  const { created, spans } = shipped();
  const [wait, process] = handled('parcel-emails', created, { times: [91, 100, 600], error: 'smtp-unavailable' });
  // The span says when it was meant to be, NATS when it is.
  const at = BEGAN + 310_000;
  const held = { function: 'parcel-emails', messageId: 'e1', traceId: created.traceId, at };
  const { sentence, standing, advice } = account([...spans, wait, process, parked(process, 300_000)], {
    present: { ...NOTHING, parked: [held] },
  });
  expect(sentence).toBe(
    'The notification of parcel-emails has not gone out, 2 min 0 s after POST /v1/parcels: 119.9 s of it waiting because parcel-emails could not ' +
      'reach smtp (smtp-unavailable); it is parked until 2026-11-20T12:05:10.000Z, in 3 min 10 s.',
  );
  expect(standing).toEqual(['parcel.sent at parcel-emails is parked until 2026-11-20T12:05:10.000Z, in 3 min 10 s.']);
  expect(advice[0]).toMatch(/^Nothing, once smtp is back: parcel-emails tries again at 2026-11-20T12:05:10/);
});

/** parcel-emails gave up the event at once. */
function poisoned() {
  const { created, spans } = shipped();
  const [wait, process] = handled('parcel-emails', created, { times: [91, 100, 110], error: 'invalid-event' });
  const dead = span('parcel-emails', 'dead letter', 109, 110, { within: process });
  return { created, all: [...spans, wait, process, dead] };
}

test('a dead letter is told with its number, and the commands that show and redrive it', () => {
  const { created, all } = poisoned();
  const deadLetter = { id: 7, function: 'parcel-emails', messageId: 'e1', traceId: created.traceId };
  const { sentence, advice } = account(all, { present: { ...NOTHING, deadLetters: [deadLetter] } });
  expect(sentence).toBe(
    'The notification of parcel-emails has not gone out: parcel-emails failed with invalid-event, and it is dead letter 7.',
  );
  expect(advice).toEqual([
    'npx millrace dead-letters show 7',
    'When its cause is gone: npx millrace dead-letters redrive 7',
  ]);
});

test('without NATS a dead letter is found by its function and error', () => {
  const { advice } = account(poisoned().all, { present: 'not asked' });
  expect(advice).toEqual(['npx millrace dead-letters list --function parcel-emails --error invalid-event']);
});

test('a dead letter that is there no more was redriven or dropped, and nobody waits for it', () => {
  const { standing, text } = account(poisoned().all);
  expect(standing).toEqual(['All of it is done.']);
  expect(text).toContain('given up');
});

test('a dead letter of another function of the same event is not taken for this one', () => {
  const { created, all } = poisoned();
  const deadLetter = { id: 7, function: 'parcel-view', messageId: 'other', traceId: created.traceId };
  expect(account(all, { present: { ...NOTHING, deadLetters: [deadLetter] } }).sentence).not.toContain('dead letter 7');
});

test('an open breaker is told as calls that it rejected', () => {
  const { created, spans } = shipped();
  const [wait, process] = handled('parcel-emails', created, { times: [91, 100, 110], error: 'depot-unavailable' });
  const rejected = { name: 'breaker.rejected', attributes: { 'millrace.target': 'depot' } };
  const held = { ...process, events: [{ ...rejected, at: process.start }] };
  const second = handled('parcel-emails', created, { times: [2_110, 2_120, 2_300], reason: 'retry', attempt: 2 });
  const { sentence, text } = account([...spans, wait, held, parked(process, 2_110), ...second]);
  expect(text).toContain(
    'attempt 1: waited 9 ms, had its calls rejected by the circuit breaker of depot (depot-unavailable) after 10 ms',
  );
  expect(sentence).toContain('2.0 s of it waiting because parcel-emails could not reach depot (depot-unavailable)');
});

test('an event that was handled with others is followed by its link, and its work is that of the batch', () => {
  const { created, spans } = shipped();
  const batch = span('parcel-emails', 'process batch', 3_100, 6_100, {
    traceId: 'b'.repeat(32),
    kind: 'consumer',
    attributes: { 'messaging.batch.message_count': 5 },
  });
  const query = span('parcel-emails', 'INSERT parcel_view', 3_200, 6_000, {
    within: batch,
    kind: 'client',
    attributes: { 'db.system.name': 'postgresql' },
  });
  const links = [{ traceId: batch.traceId, spanId: batch.spanId }];
  const email = handled('parcel-emails', created, { times: [91, 3_100, 3_101], links });
  const { sentence, text } = account([...spans, ...email, batch, query]);
  expect(text).toContain('waited 3.0 s, done in 3.0 s with 4 others, 2.8 s of it Postgres');
  expect(sentence).toContain('6.1 s after POST /v1/parcels: 3.0 s of it in the queue of parcel-emails');
});

test('of a batch that failed each message is tried alone at once, without another wait', () => {
  const { created, spans } = shipped();
  const [wait] = handled('parcel-emails', created, { times: [91, 3_100, 3_200] });
  const [, alone] = handled('parcel-emails', created, { times: [91, 3_400, 3_500] });
  const { text } = account([...spans, wait, alone]);
  expect(text).toContain('parcel.sent → parcel-emails  waited 3.0 s, done in 100 ms');
});

test('a provider that takes its time is named', () => {
  const post = request(0, 4_200, 'POST /v1/parcels/:parcelId/weighings');
  const command = sent(post, 'command.parcel.weigh', 'c2', 10);
  const [wait, pay] = handled('weigh-parcel', command, { times: [11, 20, 4_100] });
  const call = span('weigh-parcel', 'weigh', 30, 4_030, {
    within: pay,
    kind: 'client',
    attributes: { 'peer.service': 'scales' },
  });
  const { sentence, advice } = account([post, command, wait, pay, call]);
  expect(sentence).toBe(
    'weigh-parcel was done with command.parcel.weigh 4.1 s after POST /v1/parcels/:parcelId/weighings: ' +
      '4.1 s of it waiting for scales, which weigh-parcel called.',
  );
  expect(advice).toEqual(['See why scales was slow']);
});

test('what lay in the outbox until outbox-relay sent it is told so', () => {
  const { spans } = shipped();
  const send = spans.find(({ name }) => name === 'process command.parcel.send');
  const late = sent(send, 'parcel.sent', 'e2', 35_000, 'outbox-relay');
  const email = handled('parcel-emails', late, { times: [35_001, 35_010, 35_100] });
  const { sentence } = account([...spans.slice(0, 4), late, ...email]);
  expect(sentence).toContain('35.1 s after POST /v1/parcels: 34.9 s of it in the outbox, until outbox-relay sent it.');
});

test('a timer is no delay: what it sends counts from when it was due', () => {
  const { spans } = shipped();
  const send = spans.find(({ name }) => name === 'process command.parcel.send');
  const due = new Date(BEGAN + 1_800_000).toISOString();
  const timer = timed(sent(send, 'command.parcel.expire', 'c3', 95), due);
  const expire = handled('expire-parcel', timer, { times: [1_800_000, 1_800_010, 1_801_500] });
  const { sentence } = account([...spans.slice(0, 4), timer, ...expire], { after: 2_000_000 });
  expect(sentence).toBe(
    'expire-parcel was done with command.parcel.expire 1.5 s after it was due: 1.5 s of it with expire-parcel at work.',
  );
});

test('a timer that is not due yet is told, and nobody waits for it', () => {
  const { created, spans } = shipped();
  const timer = timed(sent(created, 'command.parcel.expire', 'c3', 95), '2026-11-20T12:30:00.000Z');
  const { sentence, standing, text } = account([...spans, timer]);
  expect(sentence).toContain('Nothing was slow: parcel-view');
  expect(standing).toEqual(['All of it is done.']);
  expect(text).toContain(
    '12:30:00.000  command.parcel.expire → expire-parcel  a timer, due at 2026-11-20T12:30:00.000Z',
  );
});

test('an attempt that nothing was heard of after its wait is told, and the next one counts', () => {
  const { created, spans } = shipped();
  const [lost] = handled('parcel-emails', created, { times: [91, 100, 200] });
  const again = handled('parcel-emails', created, { times: [91, 31_000, 31_100], attempt: 2 });
  const { sentence, text } = account([...spans, lost, ...again]);
  expect(text).toContain('attempt 1: waited 9 ms, began, and was not heard of since');
  expect(sentence).toContain('The notification of parcel-emails went out 31.1 s after POST /v1/parcels');
});

test('what is in the queue of a function that does not come to it is told with its lag', () => {
  const { spans } = shipped();
  const present = { ...NOTHING, lag: { 'parcel-emails': 12 } };
  const { sentence, advice } = account(spans, { present });
  expect(sentence).toContain(
    'The notification of parcel-emails has not gone out, 2 min 0 s after POST /v1/parcels: 119.9 s of it in the queue of',
  );
  expect(sentence).toContain('it is in the queue, with 12 to do.');
  expect(advice[0]).toContain('parcel-emails');
});

test('a function of which nothing is heard, and which has nothing to do, is not blamed', () => {
  const { sentence, text } = account(shipped().spans);
  expect(sentence).toBe('Nothing was slow: parcel-view was done with parcel.sent 150 ms after POST /v1/parcels.');
  expect(text).toContain('parcel.sent → parcel-emails  not heard of');
});

test('entries about another parcel in the same trace are left out', () => {
  const { spans } = shipped();
  const post = spans[0];
  const other = sent(post, 'command.parcel.send', 'c9', 12);
  const foreign = { ...other, attributes: { ...other.attributes, 'cloudevents.event_subject': 'another' } };
  expect(account([...spans, foreign]).text).not.toContain('12:00:00.013');
});

test('what a span from outside is named does not reach the terminal as it is', () => {
  const evil = request(0, 100, 'GET /v1/\u001b[31mada@example.com');
  expect(account([evil]).text).toContain('GET /v1/??31mada?example.com');
});
