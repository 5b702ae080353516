import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { attributes, readCloudEvents } from './cloud-event.ts';
import { validate } from './schema.ts';

const event = { specversion: '1.0', id: 'a', source: '/test', type: 'thing.do', data: { a: 1 } };
const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
const batch = { 'content-type': 'application/cloudevents-batch+json' };
const binary = {
  'content-type': 'application/json',
  'ce-specversion': '1.0',
  'ce-id': 'a',
  'ce-source': '/test',
  'ce-type': 'thing.do',
};
const asBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const refusal = (work: () => unknown): unknown => {
  try {
    return { accepted: work() };
  } catch (error) {
    return error;
  }
};

describe('a request', () => {
  test('with application/cloudevents+json has one event', () => {
    expect(readCloudEvents({ headers: structured, body: event })).toEqual({ form: 'single', event });
  });

  test('with application/cloudevents-batch+json has a list of events, which may be empty', () => {
    const second = { ...event, id: 'b' };
    const sent = readCloudEvents({ headers: batch, body: asBytes([event, second]) });
    expect(sent).toEqual({ form: 'batch', events: [event, second] });
    expect(readCloudEvents({ headers: batch, body: asBytes([]) })).toEqual({ form: 'batch', events: [] });
  });

  test.each(['application/json', 'application/vnd.parcel+json', 'Application/JSON; charset=utf-8'])(
    'with ce- headers and %s has one event, whose data is the body',
    (type) => {
      const headers = { ...binary, 'content-type': type, 'ce-subject': '7', accept: '*/*' };
      const sent = readCloudEvents({ headers, body: asBytes({ a: 1 }) });
      expect(sent).toEqual({ form: 'single', event: { ...event, subject: '7', datacontenttype: type } });
    },
  );

  test.each([
    undefined,
    '',
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'application/cloudevents',
    'application/cloudevents+xml',
    'application/cloudevents-batch',
    'application/cloudevents+avro',
    'application/cloudevents-other+json',
  ])('with content-type %s has none', (type) => {
    const headers = { ...binary, ...(type === undefined ? { 'content-type': undefined } : { 'content-type': type }) };
    expect(refusal(() => readCloudEvents({ headers, body: event }))).toMatchObject({
      slug: 'not-json-content',
      message: expect.stringContaining('application/cloudevents-batch+json'),
    });
  });

  test.each([
    [batch, '[', 'not-json'],
    [{ ...binary, 'content-type': 'application/vnd.parcel+json' }, '{', 'not-json'],
    [batch, '{}', 'invalid-cloud-event'],
    [batch, 'null', 'invalid-cloud-event'],
  ])('with %j and %s is refused as %s', (headers, body, slug) => {
    expect(refusal(() => readCloudEvents({ headers, body: Buffer.from(body) }))).toMatchObject({ slug });
  });

  test('may have a hundred events, and no more', () => {
    const many = (count: number) => readCloudEvents({ headers: batch, body: asBytes(Array(count).fill(event)) });
    const sent = many(100);
    expect(sent.form === 'batch' && sent.events.length).toBe(100);
    expect(refusal(() => many(101))).toMatchObject({ slug: 'too-many-events' });
  });
});

describe('an attribute in a header', () => {
  test.each([
    ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
    ['plain text', 'plain text'],
    ['%41%2fb', 'A/b'],
    ['100%2525', '100%25'],
    ['"quoted text"', 'quoted text'],
    ['"a \\"word\\" and \\\\"', 'a "word" and \\'],
    ['%22not%20quoted%22', '"not quoted"'],
    ['""', ''],
    ['5" and 6"', '5" and 6"'],
  ])('that is %s means %s', (sent, meant) => {
    const read = readCloudEvents({ headers: { ...binary, 'ce-source': sent }, body: {} });
    expect(read).toMatchObject({ event: { source: meant } });
  });

  test.each(['100%', '%zz', '%E2%82', '%ff'])('that is %s is refused, naming the header', (sent) => {
    expect(refusal(() => readCloudEvents({ headers: { ...binary, 'ce-source': sent }, body: {} }))).toMatchObject({
      slug: 'invalid-cloud-event',
      fields: [{ field: 'ce-source' }],
    });
  });

  test('can name neither the data nor its type', () => {
    const headers = { ...binary, 'ce-data': 'x', 'ce-datacontenttype': 'text/plain', 'ce-__proto__': 'x' };
    expect(readCloudEvents({ headers, body: { a: 1 } })).toEqual({
      form: 'single',
      event: { ...event, datacontenttype: 'application/json' },
    });
  });
});

describe('an event in JSON', () => {
  const read = (body: unknown) => readCloudEvents({ headers: structured, body });

  test('has no attribute that is null', () => {
    expect(read({ ...event, subject: null, traceparent: null })).toEqual({ form: 'single', event });
  });

  test('may have its data as base64 of JSON', () => {
    const { data, ...rest } = event;
    expect(read({ ...rest, data_base64: base64(JSON.stringify(data)) })).toEqual({ form: 'single', event });
  });

  test.each([
    [{ data_base64: base64('{') }, 'data_base64'],
    [{ data_base64: 7 }, 'data_base64'],
    [{ data: 1, data_base64: base64('1') }, 'data_base64'],
  ])('with %j is refused, and in a batch with its index', (data, field) => {
    const { data: _, ...rest } = event;
    const wrong = { ...rest, ...data };
    expect(refusal(() => read(wrong))).toMatchObject({ slug: 'invalid-cloud-event', fields: [{ field }] });
    expect(refusal(() => readCloudEvents({ headers: batch, body: asBytes([event, wrong]) }))).toMatchObject({
      fields: [{ field: `[1].${field}` }],
    });
  });
});

test.each([
  [{ specversion: undefined }, 'specversion'],
  [{ specversion: '0.3' }, 'specversion'],
  [{ specversion: 1 }, 'specversion'],
  [{ id: undefined }, 'id'],
  [{ id: '' }, 'id'],
  [{ id: 7 }, 'id'],
  [{ id: 'a\nb' }, 'id'],
  [{ id: 'x'.repeat(1025) }, 'id'],
  [{ source: undefined }, 'source'],
  [{ source: '\ud800' }, 'source'],
  [{ type: undefined }, 'type'],
  [{ time: 'yesterday' }, 'time'],
  [{ datacontenttype: 'text/plain' }, 'datacontenttype'],
  [{ traceparent: 7 }, 'traceparent'],
])('attributes with %j are refused, naming %s', (changes, field) => {
  expect(refusal(() => validate(z.object(attributes), { ...event, ...changes }, 'The CloudEvent'))).toMatchObject({
    fields: [{ field }],
  });
});
