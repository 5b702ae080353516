/** Spans and points → the recent ones, in memory: what is oldest goes when there are too many. */
import type { Point } from './points.ts';
import type { Span } from './spans.ts';

export type TraceStore = {
  add(spans: readonly Span[]): void;
  /** The spans of one trace; none when there is no such, or not any more. */
  trace(traceId: string): readonly Span[];
  /** All spans of the traces that have one with this attribute, and of those that these are linked with. */
  find(attribute: string, value: string): readonly Span[];
};
export type TraceLimits = { readonly traces: number; readonly bytes: number; readonly spansOfOne: number };

const LIMITS: TraceLimits = { traces: 5_000, bytes: 100_000_000, spansOfOne: 5_000 };
const MOST_FOUND = 200;
const MOST_FOUND_SPANS = 20_000;
/** Of a span in memory, besides its text. */
const SPAN_BYTES = 300;

type Kept = { readonly spans: Map<string, Span>; bytes: number };

const sizeOf = (span: Span): number => SPAN_BYTES + JSON.stringify(span).length;

/** A trace that gets another span is young again; one that has its fill keeps what it has. */
export function openTraceStore(limits: TraceLimits = LIMITS): TraceStore {
  const traces = new Map<string, Kept>();
  let bytes = 0;

  const addOne = (span: Span): void => {
    const kept = traces.get(span.traceId) ?? { spans: new Map<string, Span>(), bytes: 0 };
    traces.delete(span.traceId);
    traces.set(span.traceId, kept);
    if (kept.spans.has(span.spanId) || kept.spans.size >= limits.spansOfOne) return;
    const size = sizeOf(span);
    kept.spans.set(span.spanId, span);
    kept.bytes += size;
    bytes += size;
  };
  const dropOldest = (): void => {
    for (const [traceId, kept] of traces) {
      if (traces.size <= limits.traces && bytes <= limits.bytes) return;
      traces.delete(traceId);
      bytes -= kept.bytes;
    }
  };
  const trace = (traceId: string): readonly Span[] => [...(traces.get(traceId)?.spans.values() ?? [])];

  return {
    add(spans) {
      for (const span of spans) addOne(span);
      dropOldest();
    },
    trace,
    find(attribute, value) {
      const having = (test: (span: Span) => boolean): string[] =>
        [...traces].filter(([, { spans }]) => [...spans.values()].some(test)).map(([traceId]) => traceId);
      const found = new Set(having(({ attributes }) => attributes[attribute] === value).slice(-MOST_FOUND));
      const linked = [...found].flatMap((traceId) => trace(traceId).flatMap(({ links }) => links));
      const linking = having(({ links }) => links.some(({ traceId }) => found.has(traceId)));
      const all = new Set([...found, ...linked.map(({ traceId }) => traceId), ...linking]);
      return [...all]
        .slice(0, 2 * MOST_FOUND)
        .flatMap(trace)
        .slice(0, MOST_FOUND_SPANS);
    },
  };
}

export type PointStore = { add(points: readonly Point[]): void; latest(): readonly Point[] };

const MOST_SERIES = 20_000;

/** The newest point of each series of each process. */
export function openPointStore(mostSeries = MOST_SERIES): PointStore {
  const series = new Map<string, Point>();
  return {
    add(points) {
      for (const point of points) {
        const { service, instance, name, attributes } = point;
        const key = JSON.stringify([service, instance, name, attributes]);
        series.delete(key);
        series.set(key, point);
      }
      for (const key of series.keys()) {
        if (series.size <= mostSeries) return;
        series.delete(key);
      }
    },
    latest: () => [...series.values()],
  };
}
