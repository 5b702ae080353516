import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { findInJaeger } from '../../scripts/operate/why/traces.ts';
import { freePort } from '../../scripts/platform/servers/ports.ts';

const ORDER = '0190b6a0-0000-7000-8000-000000000001';
const ONE = '1'.repeat(32);
const BATCH = '2'.repeat(32);
const OTHER = '3'.repeat(32);

type Link = { traceId: string; spanId: string };
const otlp = (traceId: string, orderId: string, links: Link[] = []) => ({
  resource: { attributes: [{ key: 'service.name', value: { stringValue: 'order-view' } }] },
  scopeSpans: [
    {
      spans: [
        {
          traceId,
          spanId: traceId.slice(0, 16),
          name: 'process order.created',
          kind: 5,
          startTimeUnixNano: '1795176000000000000',
          endTimeUnixNano: '1795176001000000000',
          attributes: [{ key: 'cloudevents.event_subject', value: { stringValue: orderId } }],
          links,
        },
      ],
    },
  ],
});
const STORED: Readonly<Record<string, object>> = {
  [ONE]: otlp(ONE, ORDER, [{ traceId: BATCH, spanId: BATCH.slice(0, 16) }]),
  [BATCH]: otlp(BATCH, ''),
  [OTHER]: otlp(OTHER, 'another'),
};

let server: Server | undefined;
afterEach(() => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())));

/** Answers as Jaeger's query service does; an older one takes no heed of `query.attributes`. */
async function startJaeger(heedsAttributes: boolean): Promise<{ url: string; asked: URL[] }> {
  const asked: URL[] = [];
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://jaeger');
    asked.push(url);
    const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
    const found = (ids: readonly string[]) => {
      const spans = ids.flatMap((id) => STORED[id] ?? []);
      if (spans.length > 0) return answer(200, { result: { resourceSpans: spans } });
      return answer(404, { error: { httpCode: 404, message: 'No traces found' } });
    };
    if (url.pathname === '/api/v3/services') return answer(200, { services: ['order-view'] });
    if (url.pathname.startsWith('/api/v3/traces/')) return found([url.pathname.split('/').at(-1) ?? '']);
    const wanted = url.searchParams.get('query.attributes') ?? url.searchParams.get('tags') ?? '';
    const isOrder = wanted === JSON.stringify({ 'cloudevents.event_subject': ORDER });
    if (url.pathname === '/api/v3/traces') return found(heedsAttributes ? (isOrder ? [ONE] : []) : [OTHER]);
    if (url.pathname === '/api/traces') return answer(200, { data: isOrder ? [{ traceID: ONE }] : [] });
    return answer(500, {});
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${Object(server.address()).port}`, asked };
}

test.each([
  ['that heeds query.attributes', true],
  ['that does not', false],
])('traces of an order are found in a Jaeger %s, with those that they are linked with', async (_what, heeds) => {
  const { url, asked } = await startJaeger(heeds);
  const found = await findInJaeger(`${url}/`, ORDER);
  expect(found?.by).toBe('subject');
  expect(found?.spans.map(({ traceId }) => traceId)).toEqual([ONE, BATCH]);
  const search = asked.find(({ pathname }) => pathname === '/api/v3/traces');
  expect(search?.searchParams.get('query.service_name')).toBe('order-view');
  expect(Date.parse(search?.searchParams.get('query.start_time_min') ?? '')).toBeLessThan(Date.now());
});

test('what Jaeger does not know is not found', async () => {
  const { url } = await startJaeger(true);
  expect(await findInJaeger(url, 'nothing')).toBeUndefined();
});

test('a Jaeger that is not there is said not to answer', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  await expect(findInJaeger(url, ORDER)).rejects.toThrow(`Jaeger at ${url} does not answer`);
});
