/** Spans → the rows of a waterfall, trace by trace: each below what it is part of, with its place in time. Pure. */
import type { TraceSpan } from '../wire.ts';

export type Bar = {
  readonly span: TraceSpan;
  readonly depth: number;
  /** Parts of the trace's time, 0 to 1. */
  readonly from: number;
  readonly width: number;
  readonly kind: 'wait' | 'work' | 'failed';
};
export type Waterfall = {
  readonly traceId: string;
  readonly title: string;
  readonly start: number;
  readonly ms: number;
  readonly bars: readonly Bar[];
};

const DEEPEST = 32;

const kindOf = ({ name, error }: TraceSpan): Bar['kind'] =>
  error ? 'failed' : /^(wait|park)\b/.test(name) ? 'wait' : 'work';

function one(traceId: string, spans: readonly TraceSpan[]): Waterfall {
  const start = Math.min(...spans.map((span) => span.start));
  const end = Math.max(...spans.map((span) => span.end));
  const ms = end - start;
  const known = new Set(spans.map(({ spanId }) => spanId));
  const children = Map.groupBy(spans, ({ parentId }) => (known.has(parentId) ? parentId : ''));
  const bars: Bar[] = [];
  const seen = new Set<string>();
  const place = (parentId: string, depth: number): void => {
    for (const span of (children.get(parentId) ?? []).toSorted((a, b) => a.start - b.start)) {
      // Spans come from outside, and may make a ring.
      if (seen.has(span.spanId) || depth > DEEPEST) continue;
      seen.add(span.spanId);
      const from = ms > 0 ? (span.start - start) / ms : 0;
      const width = ms > 0 ? (span.end - span.start) / ms : 1;
      bars.push({ span, depth, from, width, kind: kindOf(span) });
      place(span.spanId, depth + 1);
    }
  };
  place('', 0);
  return { traceId, title: bars[0]?.span.name ?? traceId, start, ms, bars };
}

/** The oldest trace first. */
export const waterfalls = (spans: readonly TraceSpan[]): Waterfall[] =>
  [...Map.groupBy(spans, ({ traceId }) => traceId)]
    .map(([traceId, own]) => one(traceId, own))
    .filter(({ bars }) => bars.length > 0)
    .sort((a, b) => a.start - b.start);
