import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTelemetry, type Telemetry } from '../../scripts/platform/telemetry/telemetry.ts';

let folder: string;
let telemetry: Telemetry;

const file = () => path.join(folder, 'traces.jsonl');

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-telemetry-'));
  telemetry = await openTelemetry(file());
});

afterEach(async () => {
  await telemetry.close();
  await rm(folder, { recursive: true, force: true });
});

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const text = (key: string, value: string) => ({ key, value: { stringValue: value } });

/** As functions send it; ids and enums also as the JSON of protobuf has them. */
const traces = (changes: object = {}) => ({
  resourceSpans: [
    {
      resource: { attributes: [text('service.name', 'order-emails')] },
      scopeSpans: [
        {
          scope: { name: 'millrace' },
          spans: [
            {
              traceId: TRACE,
              spanId: 'b7ad6b7169203331',
              name: 'process order.created',
              kind: 5,
              startTimeUnixNano: '1795176000123456789',
              endTimeUnixNano: '1795176001000000000',
              attributes: [
                text('cloudevents.event_subject', 'order-1'),
                { key: 'millrace.attempt', value: { intValue: '3' } },
                { key: 'error.type', value: { stringValue: 'smtp-unavailable' } },
              ],
              events: [{ name: 'breaker.rejected', timeUnixNano: '1795176000500000000', attributes: [] }],
              links: [{ traceId: 'CvdlGRbNQ92ESOshHIAxnA==', spanId: 't61rcWkgMzE=' }],
              status: { code: 2, message: 'smtp-unavailable' },
              ...changes,
            },
          ],
        },
      ],
    },
  ],
});

const metrics = {
  resourceMetrics: [
    {
      resource: { attributes: [text('service.name', 'order-view'), text('service.instance.id', 'one')] },
      scopeMetrics: [
        {
          metrics: [
            { name: 'calls', sum: { dataPoints: [{ timeUnixNano: '1000000', asInt: '3', attributes: [] }] } },
            {
              name: 'seconds',
              histogram: {
                dataPoints: [
                  { timeUnixNano: '1', count: '2', sum: 1.5, bucketCounts: ['1', '1'], explicitBounds: [1] },
                ],
              },
            },
          ],
        },
      ],
    },
  ],
};

const JSON_TYPE = { 'content-type': 'application/json' };

const send = (at: string, body: string | Buffer, headers: Record<string, string> = JSON_TYPE, method = 'POST') =>
  fetch(`${telemetry.url}${at}`, { method, headers, ...(method === 'POST' ? { body } : {}) });

const ask = (query: string, room = 'traces') =>
  telemetry.answer(room, new URLSearchParams(query)) as { spans: Record<string, unknown>[] };

test('spans that were sent are found by subject, and by the id of their trace', async () => {
  const answer = await send('/v1/traces', JSON.stringify(traces()));
  expect([answer.status, await answer.json()]).toEqual([200, {}]);
  const found = ask('subject=order-1').spans;
  expect(found).toEqual([
    {
      traceId: TRACE,
      spanId: 'b7ad6b7169203331',
      parentId: '',
      service: 'order-emails',
      name: 'process order.created',
      kind: 'consumer',
      start: 1795176000123.457,
      end: 1795176001000,
      error: 'smtp-unavailable',
      attributes: { 'cloudevents.event_subject': 'order-1', 'millrace.attempt': 3, 'error.type': 'smtp-unavailable' },
      events: [{ name: 'breaker.rejected', at: 1795176000500, attributes: {} }],
      links: [{ traceId: TRACE, spanId: 'b7ad6b7169203331' }],
    },
  ]);
  expect(ask('', `traces/${TRACE}`).spans).toEqual(found);
  expect(ask('subject=order-2').spans).toEqual([]);
});

test('gzipped spans are taken, and kinds in words', async () => {
  const body = gzipSync(JSON.stringify(traces({ kind: 'SPAN_KIND_SERVER', status: { code: 'STATUS_CODE_OK' } })));
  const answer = await send('/v1/traces', body, { ...JSON_TYPE, 'content-encoding': 'gzip' });
  expect(answer.status).toBe(200);
  expect(ask('subject=order-1').spans).toMatchObject([{ kind: 'server', error: undefined }]);
});

test('the newest value of every metric is there, with the buckets of a histogram', async () => {
  expect((await send('/v1/metrics', JSON.stringify(metrics))).status).toBe(200);
  expect(telemetry.answer('metrics', new URLSearchParams())).toEqual({
    points: [
      { service: 'order-view', instance: 'one', name: 'calls', kind: 'sum', attributes: {}, at: 1, value: 3 },
      expect.objectContaining({ kind: 'histogram', value: 1.5, count: 2, buckets: [1, 1], bounds: [1] }),
    ],
  });
});

test.each([
  ['no JSON', '{', JSON_TYPE, 400, 'not-json'],
  ['a wrong id', JSON.stringify(traces({ spanId: 'b7' })), JSON_TYPE, 400, 'spans[0].spanId'],
  ['no time', JSON.stringify(traces({ endTimeUnixNano: 'soon' })), JSON_TYPE, 400, 'endTimeUnixNano'],
  ['something else', '[]', JSON_TYPE, 400, 'invalid-otlp'],
  ['protobuf', 'x', { 'content-type': 'application/x-protobuf' }, 415, 'OTEL_EXPORTER_OTLP_PROTOCOL=http/json'],
  ['another encoding', 'x', { ...JSON_TYPE, 'content-encoding': 'br' }, 415, 'gzipped'],
  ['no gzip', 'x', { ...JSON_TYPE, 'content-encoding': 'gzip' }, 400, 'not-gzip'],
  ['too much', ' '.repeat(4_000_001), JSON_TYPE, 413, 'body-too-large'],
  [
    'too much, gzipped',
    gzipSync(Buffer.alloc(16_000_001, 32)),
    { ...JSON_TYPE, 'content-encoding': 'gzip' },
    413,
    '16000000',
  ],
])('%s is refused, saying why, and nothing of it is kept', async (_what, body, headers, status, says) => {
  const answer = await send('/v1/traces', body, headers);
  expect(answer.status).toBe(status);
  expect(JSON.stringify(await answer.json())).toContain(says);
  expect(ask('subject=order-1').spans).toEqual([]);
});

test('there is nothing but the two paths, and they are only written to', async () => {
  expect((await send('/v1/logs', '{}')).status).toBe(404);
  expect((await send('/v1/traces', '', {}, 'GET')).status).toBe(405);
});

test.each([['subject='], ['user=1'], [''], ['subject=1&event=2'], ['constructor=1']])(
  'traces asked for by %j are refused, saying how to ask',
  (query) => {
    expect(() => ask(query)).toThrow('Ask for traces by ?subject=<id>, ?event=<id> or ?notification=<key>');
  },
);

test('a trace that is not there is said not to be', () => {
  expect(() => ask('', `traces/${TRACE}`)).toThrow('no such trace');
});

test('traces outlive the shop, also one that was killed while it wrote', async () => {
  await send('/v1/traces', JSON.stringify(traces()));
  const before = ask('subject=order-1').spans;
  await telemetry.close();
  await appendFile(file(), '[{"traceId":"');
  telemetry = await openTelemetry(file());
  expect(ask('subject=order-1').spans).toEqual(before.map((span) => JSON.parse(JSON.stringify(span))));
});
