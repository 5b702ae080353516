/** The attempts of one function on one message, each with what it waited for, how it ended and what it led to. Pure. */
import type { Span } from '../../platform/telemetry/spans.ts';
import { type Failure, failureOf, slowestOf } from './calls.ts';
import type { Forest } from './forest.ts';
import { isBatch, messageIdOf, number, text } from './span-names.ts';

/** Times are ms since 1970; `slept` and `started` are how long its function did, ms. */
type Wait = { readonly start: number; readonly end: number; readonly slept: number; readonly started: number };
export type Attempt = {
  /** 1 at the first. */
  readonly number: number;
  readonly wait: Wait | undefined;
  readonly start: number;
  /** Undefined when it has not ended, or ended without a word. */
  readonly end: number | undefined;
  readonly failure: Failure | undefined;
  /** When it is due again, ms since 1970. */
  readonly dueAt: number | undefined;
  readonly dead: boolean;
  /** Messages handled together with it; 1 when it was alone. */
  readonly together: number;
  /** What most of the work was spent waiting for. */
  readonly slow: { readonly target: string; readonly ms: number } | undefined;
};

/** The time between two lines of code. */
const CLOSE_MS = 50;

const toWait = (span: Span): Wait => ({
  start: span.start,
  end: span.end,
  slept: number(span, 'millrace.wait.slept_ms'),
  started: number(span, 'millrace.wait.started_ms'),
});

function toAttempt(forest: Forest, span: Span, wait: Span | undefined, index: number): Attempt {
  const batch = span.links
    .map(({ traceId, spanId }) => forest.span(traceId, spanId))
    .find((one) => one && isBatch(one));
  const own = forest.own(span);
  const all = batch ? [...own, ...forest.own(batch)] : own;
  const park = own.find(({ name }) => name === 'park');
  const start = batch ? Math.min(span.start, batch.start) : span.start;
  const end = batch ? Math.max(span.end, batch.end) : span.end;
  return {
    number: number(span, 'millrace.attempt') || index + 1,
    wait: wait && toWait(wait),
    start,
    end,
    failure: failureOf(span, all),
    dueAt: park && (Date.parse(text(park, 'millrace.retry.at')) || park.end + number(park, 'millrace.retry.delay_ms')),
    dead: own.some(({ name }) => name === 'dead letter'),
    together: batch ? number(batch, 'messaging.batch.message_count') || 1 : 1,
    slow: slowestOf(all, end - start),
  };
}

const lostAttempt = (wait: Span, index: number): Attempt => ({
  number: index + 1,
  wait: toWait(wait),
  start: wait.end,
  end: undefined,
  failure: undefined,
  dueAt: undefined,
  dead: false,
  together: 1,
  slow: undefined,
});

/** Each attempt takes the last wait before it; one that is left is of an attempt that was not heard of. */
export function attemptsOf(forest: Forest, processes: readonly Span[]): Attempt[] {
  const [first] = processes;
  if (!first) return [];
  const mine = (wait: Span): boolean =>
    wait.name === 'wait' && wait.service === first.service && [messageIdOf(first), ''].includes(messageIdOf(wait));
  // One that came without a trace is the root of its own.
  const beside = first.parentId === '' ? [] : forest.childrenOf(first.traceId, first.parentId);
  const within = processes.flatMap(({ traceId, spanId }) => forest.childrenOf(traceId, spanId));
  const waits = new Set([...beside, ...within].filter(mine).sort((a, b) => a.end - b.end));
  const ended = [...processes]
    .sort((a, b) => a.start - b.start)
    .map((span) => {
      const wait = [...waits].filter(({ end }) => end <= span.start + CLOSE_MS).at(-1);
      if (wait) waits.delete(wait);
      return { span, wait, at: span.start };
    });
  const lost = [...waits].map((wait) => ({ span: undefined, wait, at: wait.end }));
  return [...ended, ...lost]
    .sort((a, b) => a.at - b.at)
    .flatMap(({ span, wait }, index) => {
      if (span) return [toAttempt(forest, span, wait, index)];
      return wait ? [lostAttempt(wait, index)] : [];
    });
}
