/** Traces in OTLP/JSON → spans, each by itself. Pure. */
import * as z from 'zod/mini';
import { validate } from '../../../functions/runtime/schema.ts';
import {
  type Attributes,
  attributes,
  hexOf,
  msOf,
  nanos,
  plain,
  resource,
  serviceOf,
  spanId,
  traceId,
} from './otlp.ts';

export type SpanKind = (typeof KINDS)[number];
export type SpanEvent = { readonly name: string; readonly at: number; readonly attributes: Attributes };
export type SpanLink = { readonly traceId: string; readonly spanId: string };

/** Times are ms since 1970. */
export type Span = {
  readonly traceId: string;
  readonly spanId: string;
  /** '' at the root of a trace. */
  readonly parentId: string;
  /** The function, or whoever else it was. */
  readonly service: string;
  readonly name: string;
  readonly kind: SpanKind;
  readonly start: number;
  readonly end: number;
  /** Why it failed, a slug; undefined when it did not. */
  readonly error: string | undefined;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
};

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const MOST_EVENTS = 50;
const MOST_LINKS = 1_000;
const LONGEST_NAME = 200;
const ERROR = new Set<unknown>([2, 'STATUS_CODE_ERROR']);

const named = z.string().check(z.minLength(1));
const span = z.object({
  traceId,
  spanId,
  parentSpanId: z._default(z.union([spanId, z.literal('')]), ''),
  name: named,
  kind: z._default(z.union([z.number(), z.string()]), 0),
  startTimeUnixNano: nanos,
  endTimeUnixNano: nanos,
  attributes,
  events: z._default(z.array(z.object({ name: named, timeUnixNano: nanos, attributes })), []),
  links: z._default(z.array(z.object({ traceId, spanId })), []),
  status: z.optional(
    z.object({ code: z.optional(z.union([z.number(), z.string()])), message: z.optional(z.string()) }),
  ),
});
const tracesData = z.object({
  resourceSpans: z._default(
    z.array(
      z.object({
        resource,
        scopeSpans: z._default(z.array(z.object({ spans: z._default(z.array(span), []) })), []),
      }),
    ),
    [],
  ),
});

const kindOf = (kind: string | number): SpanKind =>
  (typeof kind === 'number' ? KINDS[kind] : KINDS.find((each) => kind === `SPAN_KIND_${each.toUpperCase()}`)) ??
  'unspecified';

function toSpan(raw: z.infer<typeof span>, service: string): Span {
  const all = plain(raw.attributes);
  const failed = ERROR.has(raw.status?.code);
  const start = msOf(raw.startTimeUnixNano);
  return {
    traceId: hexOf(raw.traceId),
    spanId: hexOf(raw.spanId),
    parentId: /^[0A=]*$/.test(raw.parentSpanId) ? '' : hexOf(raw.parentSpanId),
    service,
    name: raw.name.slice(0, LONGEST_NAME),
    kind: kindOf(raw.kind),
    start,
    end: Math.max(start, msOf(raw.endTimeUnixNano)),
    error: failed ? String(all['error.type'] ?? (raw.status?.message || 'error')).slice(0, LONGEST_NAME) : undefined,
    attributes: all,
    events: raw.events.slice(0, MOST_EVENTS).map(({ name, timeUnixNano, attributes }) => ({
      name,
      at: msOf(timeUnixNano),
      attributes: plain(attributes),
    })),
    links: raw.links
      .slice(0, MOST_LINKS)
      .map(({ traceId, spanId }) => ({ traceId: hexOf(traceId), spanId: hexOf(spanId) })),
  };
}

/** Throws `invalid` when it is not `{ resourceSpans: [...] }` with spans as OTLP has them. */
export const readSpans = (data: unknown, what = 'The body'): Span[] =>
  validate(tracesData, data, what, 'invalid-otlp').resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = serviceOf(plain(resource?.attributes ?? []));
    return scopeSpans.flatMap(({ spans }) => spans.map((each) => toSpan(each, service)));
  });
