import { expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import { parseAckSubject } from '../jetstream/delivered-message.ts';
import { errorOf, filterOf, fromDelivered, outcomeOf, subjectOf, typeOfSubject } from './message.ts';

const bare = {
  subject: 'parcel.0190.sent',
  headers: {},
  data: Buffer.from('{"a":1}'),
  scheduledOn: undefined,
  stream: 'PARCELS',
  sequence: 7,
  storedAtNanos: '1795176000123456789',
  streamSequence: 'PARCELS 7 1795176000123456789',
  deliveries: 2,
  attempts: 2,
  working: () => undefined,
  ack: () => undefined,
  nak: () => undefined,
  term: () => undefined,
};
const nobody = () => undefined;

test('a bare message takes its type from the subject and its id from its stream sequence', () => {
  expect(fromDelivered(bare, nobody)).toMatchObject({
    id: 'PARCELS-7-1795176000123456789',
    type: 'parcel.sent',
    source: 'nats:PARCELS',
    time: '2026-11-20T12:00:00.123Z',
    data: { a: 1 },
    attempt: 2,
  });
});

test('a message with CloudEvents headers is what they say, in the trace that they carry', () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const headers = {
    'ce-id': 'e1',
    'ce-source': '/partner',
    'ce-type': 'parcel.sent',
    'ce-time': '2026-01-01T00:00:00Z',
    traceparent,
  };
  const incoming = fromDelivered({ ...bare, headers }, nobody);
  expect(incoming).toMatchObject({ id: 'e1', source: '/partner', time: '2026-01-01T00:00:00Z' });
  expect(incoming.trace.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
});

test('a type that contradicts the subject is refused', () => {
  expect(() => fromDelivered({ ...bare, headers: { 'ce-type': 'parcel.delivered' } }, nobody)).toThrow(
    "ce-type is 'parcel.delivered'",
  );
});

test('data that is not JSON is refused', () => {
  expect(() => fromDelivered({ ...bare, data: Buffer.from('{') }, nobody)).toThrow('not JSON');
});

test('an answer goes to the reply subject of the message, and nowhere without one', () => {
  const sent: unknown[] = [];
  const answer = (to: string, outcome: object) => void sent.push([to, outcome]);
  fromDelivered({ ...bare, headers: { 'millrace-reply': '_INBOX.1' } }, answer).answer({ result: 1 });
  fromDelivered(bare, answer).answer({ result: 2 });
  expect(sent).toEqual([['_INBOX.1', { result: 1 }]]);
});

test.each([
  ['command.parcel.send', 'command.parcel.send', 'command.parcel.send'],
  ['parcel.0190.sent', 'parcel.sent', 'parcel.*.sent'],
  ['parcel.0190.handed_over', 'parcel.handed_over', 'parcel.*.handed_over'],
])('subject %s is type %s, filtered by %s', (subject, type, filter) => {
  expect(typeOfSubject(subject)).toBe(type);
  expect(filterOf(type)).toBe(filter);
});

test('the subject of an event carries the id of its aggregate', () => {
  expect(subjectOf('parcel.sent', '0190')).toBe('parcel.0190.sent');
});

test('an error survives its way to the one who waits', () => {
  const error = new AppError('refused', 'out-of-stock', 'None left', {
    fields: [{ field: 'lines[0]', message: 'gone' }],
  });
  expect(errorOf(JSON.parse(JSON.stringify(outcomeOf(error))))).toMatchObject({
    code: 'refused',
    slug: 'out-of-stock',
    message: 'None left',
    fields: error.fields,
  });
  expect(errorOf({ result: {} })).toBeUndefined();
});

test.each([
  ['$JS.ACK.PARCELS.parcel-view.2.17.9.1795176000123456789.3'],
  ['$JS.ACK.hub.ACC.PARCELS.parcel-view.2.17.9.1795176000123456789.3.rnd'],
])('ack subject %s tells stream, deliveries, sequence and time', (subject) => {
  expect(parseAckSubject(subject)).toEqual({
    stream: 'PARCELS',
    deliveries: 2,
    sequence: 17,
    storedAtNanos: '1795176000123456789',
  });
});
