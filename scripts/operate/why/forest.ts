/** Spans → the trees that they are: children, what is above, and what one function did within a span. Pure. */
import type { Span } from '../../platform/telemetry/spans.ts';

export type Forest = {
  span(traceId: string, spanId: string): Span | undefined;
  childrenOf(traceId: string, spanId: string): readonly Span[];
  /** The nearest one above it that passes; undefined when there is none, or a part of the trace is not kept. */
  above(span: Span, passes: (span: Span) => boolean): Span | undefined;
  /** The span and all below it that are of its own function. */
  own(span: Span): readonly Span[];
};

export const keyOf = ({ traceId, spanId }: Pick<Span, 'traceId' | 'spanId'>): string => `${traceId} ${spanId}`;

/** Deeper than any of ours; spans come from outside, and may make a ring. */
const DEEPEST = 64;

export function forestOf(spans: readonly Span[]): Forest {
  const all = new Map(spans.map((span) => [keyOf(span), span]));
  const children = Map.groupBy(all.values(), ({ traceId, parentId }) => keyOf({ traceId, spanId: parentId }));
  const childrenOf = (traceId: string, spanId: string): readonly Span[] =>
    children.get(keyOf({ traceId, spanId })) ?? [];
  const find = (traceId: string, spanId: string): Span | undefined => all.get(keyOf({ traceId, spanId }));

  const own = (span: Span, depth = 0): Span[] =>
    depth > DEEPEST
      ? []
      : [
          span,
          ...childrenOf(span.traceId, span.spanId)
            .filter(({ service }) => service === span.service)
            .flatMap((child) => own(child, depth + 1)),
        ];

  const above = (span: Span, passes: (span: Span) => boolean, depth = 0): Span | undefined => {
    const parent = find(span.traceId, span.parentId);
    if (!parent || depth > DEEPEST) return undefined;
    return passes(parent) ? parent : above(parent, passes, depth + 1);
  };

  return { span: find, childrenOf, above: (span, passes) => above(span, passes), own: (span) => own(span) };
}
