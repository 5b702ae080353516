/** What a collector receives at /v1/traces: the spans of all functions that push to it. */
import { createServer } from 'node:http';

type Wire = { readonly key: string; readonly value: Readonly<Record<string, string | number | boolean>> };
type WireSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Wire[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly Wire[] }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: number; readonly message?: string };
};

type Values = Readonly<Record<string, string | number | boolean>>;
export type Span = Omit<WireSpan, 'attributes' | 'events' | 'kind'> & {
  readonly service: string;
  readonly kind: string;
  readonly attributes: Values;
  readonly events: readonly { readonly name: string; readonly attributes: Values }[];
};

export type Collector = {
  readonly url: string;
  readonly spans: Span[];
  /** Every body that came, as it came. */
  readonly bodies: string[];
  close(): Promise<void>;
};

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

const plain = (attributes: readonly Wire[]): Values =>
  Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ?? (intValue === undefined ? (doubleValue ?? boolValue ?? '') : Number(intValue)),
    ]),
  );

export async function startTraceCollector(): Promise<Collector> {
  const spans: Span[] = [];
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    response.writeHead(200).end('{}');
    const body = Buffer.concat(chunks).toString();
    if (request.url !== '/v1/traces') return;
    bodies.push(body);
    for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans)
      for (const { spans: some } of scopeSpans)
        for (const span of some as WireSpan[])
          spans.push({
            ...span,
            service: String(plain(resource.attributes)['service.name']),
            kind: KINDS[span.kind] ?? '',
            attributes: plain(span.attributes),
            events: span.events.map(({ name, attributes }) => ({ name, attributes: plain(attributes) })),
          });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${Object(server.address()).port}`,
    spans,
    bodies,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** The spans of a trace as lines, each indented below what it is a part of; a span whose parent is not there is at the left. */
export function treeOf(spans: readonly Span[], traceId: string): string {
  const own = spans.filter((span) => span.traceId === traceId);
  const ids = new Set(own.map(({ spanId }) => spanId));
  const below = (parent: string | undefined): string[] =>
    own
      .filter(({ parentSpanId }) => (parentSpanId && ids.has(parentSpanId) ? parentSpanId : undefined) === parent)
      .map(({ service, kind, name, spanId }) =>
        [
          `${service} ${kind} ${name}`,
          ...below(spanId).flatMap((text) => text.split('\n').map((line) => `  ${line}`)),
        ].join('\n'),
      )
      .sort();
  return below(undefined).join('\n');
}
