/** W3C trace context, and the spans of a trace; ids always travel, spans are recorded once somebody wants them. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { Attributes, Span as OtelSpan, SpanContext, Tracer } from '@opentelemetry/api';
import { AppError } from './errors.ts';

export type Trace = { readonly traceId: string; readonly traceparent: string };

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const NOBODY = /^0+$/;
/** Ids of aggregates: nothing that is a sentence, an address or a name. */
const ID = /^(?=.*\d)[\w-]{1,64}$/;

function contextOf(traceparent: string | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (!traceId || !spanId || !flags || NOBODY.test(traceId) || NOBODY.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}

const toTrace = ({ traceId, spanId, traceFlags }: SpanContext): Trace => ({
  traceId,
  traceparent: `00-${traceId}-${spanId}-0${traceFlags & 1}`,
});

/** A `traceparent` as it is; undefined when it is missing or malformed. */
export function readTrace(traceparent: string | undefined): Trace | undefined {
  const context = contextOf(traceparent);
  return context && toTrace(context);
}

/** Continues the trace of the first `traceparent` that is well formed, sampled or not; without any it begins a new trace. */
export function continueTrace(...received: readonly (string | undefined)[]): Trace {
  const { traceId, traceFlags } = received.map(contextOf).find((context) => context !== undefined) ?? {
    traceId: randomBytes(16).toString('hex'),
    traceFlags: 1,
  };
  return toTrace({ traceId, traceFlags, spanId: randomBytes(8).toString('hex') });
}

const KINDS = { internal: 0, server: 1, client: 2, producer: 3, consumer: 4 } as const;

export type SpanOptions = {
  /** `internal` without. */
  readonly kind?: keyof typeof KINDS;
  /** What it is a part of; a new trace when that is malformed. */
  readonly parent?: string | undefined;
  /** Values say nothing about a person, and are no secrets. */
  readonly attributes?: Attributes;
  readonly links?: readonly Trace[];
  /** ms since 1970, with fractions; now without. */
  readonly startMs?: number;
  /** Id of the aggregate that it is about, as CloudEvents' subject; ignored when it cannot be an id. */
  readonly subject?: string | undefined;
};

/** Something that is done, as a part of a trace. Exactly one `end` ends it, unless it is to be forgotten. */
export type Span = {
  readonly trace: Trace;
  /** What `work` does, and logs, belongs to the span. */
  run<Result>(work: () => Result): Result;
  rename(name: string): void;
  add(attributes: Attributes): void;
  event(name: string, attributes: Attributes): void;
  /** `why` is a slug, never a message. */
  fail(why: string): void;
  end(atMs?: number): void;
};

type Scope = { readonly trace: Trace; readonly span: Span | undefined; subject: string | undefined };
const scopes = new AsyncLocalStorage<Scope | undefined>();

export type Recorder = {
  readonly api: Pick<typeof import('@opentelemetry/api'), 'context' | 'trace'>;
  readonly tracer: Tracer;
};
let recorder: Recorder | undefined;
let instrumented = false;

/** From now on spans are recorded; without a recorder no more. */
export function recordWith(next: Recorder | undefined): void {
  recorder = next;
}

export const recording = (): boolean => recorder !== undefined;

/** Others record what gRPC servers and clients of Postgres do. */
export function leaveToInstrumentations(): void {
  instrumented = true;
}

/** Whether what is done by a library is recorded by its caller. */
export const recordingCalls = (): boolean => recorder !== undefined && !instrumented;

const SUBJECT = 'cloudevents.event_subject';
const known = (subject: string | undefined): string | undefined =>
  subject !== undefined && ID.test(subject) ? subject : undefined;

const toTime = (ms: number): [number, number] => [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1e6)];

const quietly = (): void => undefined;
const quiet = { rename: quietly, add: quietly, event: quietly, fail: quietly, end: quietly };

function unrecorded({ parent, subject }: SpanOptions): Span {
  const span: Span = {
    ...quiet,
    trace: readTrace(parent) ?? continueTrace(),
    run: (work) => scopes.run({ trace: span.trace, span, subject: subject ?? scopes.getStore()?.subject }, work),
  };
  return span;
}

function asSpan({ api }: Recorder, recorded: OtelSpan, subject: string | undefined): Span {
  const span: Span = {
    trace: toTrace(recorded.spanContext()),
    run(work) {
      const scope = { trace: span.trace, span, subject: subject ?? scopes.getStore()?.subject };
      return api.context.with(api.trace.setSpan(api.context.active(), recorded), () => scopes.run(scope, work));
    },
    rename: (name) => void recorded.updateName(name),
    add: (attributes) => void recorded.setAttributes(attributes),
    event: (name, attributes) => void recorded.addEvent(name, attributes),
    fail: (why) => void recorded.setAttribute('error.type', why).setStatus({ code: 2, message: why }),
    end: (atMs) => recorded.end(atMs === undefined ? undefined : toTime(atMs)),
  };
  return span;
}

/** Begins a span; whoever begins it ends it. */
export function startSpan(name: string, options: SpanOptions): Span {
  const subject = known(options.subject);
  if (!recorder) return unrecorded({ ...options, subject });
  const { api, tracer } = recorder;
  const parent = contextOf(options.parent);
  const within = api.trace.deleteSpan(api.context.active());
  const { startMs, links = [], attributes } = options;
  const wanted = {
    kind: KINDS[options.kind ?? 'internal'],
    attributes: { ...attributes, ...(subject ? { [SUBJECT]: subject } : {}) },
    links: links.flatMap((link) => contextOf(link.traceparent) ?? []).map((context) => ({ context })),
    ...(startMs === undefined ? {} : { startTime: toTime(startMs) }),
  };
  const span = tracer.startSpan(name, wanted, parent ? api.trace.setSpanContext(within, parent) : within);
  return asSpan(recorder, span, subject);
}

/** Of what is done now: its trace, and its span if it has one. */
export function currentTrace(): Trace | undefined {
  const trace = scopes.getStore()?.trace;
  if (trace || !instrumented) return trace;
  const span = recorder?.api.trace.getActiveSpan();
  return span && toTrace(span.spanContext());
}
export const currentSpan = (): Span | undefined => scopes.getStore()?.span;

/** Does `work` in a trace, for its log lines and the spans below it, without a span of its own. */
export const inTrace = <Result>(trace: Trace, work: () => Result, subject?: string): Result =>
  scopes.run({ trace, span: undefined, subject }, work);

/** Does `work` in no trace: what is done for many is no span of any one. */
export const inNoTrace = <Result>(work: () => Result): Result => scopes.run(undefined, work);

/** A word for what was thrown: the slug, an SQLSTATE or a system's code. */
function wordFor(thrown: unknown): string {
  if (thrown instanceof AppError) return thrown.slug;
  const { code } = (thrown ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^[A-Z0-9_]{3,40}$/.test(code) ? code : 'internal';
}

/** Does `work` as a span, of what is done now unless `parent` says otherwise. */
export async function inSpan<Result>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  const span = startSpan(name, { parent: currentTrace()?.traceparent, ...options });
  try {
    return await span.run(() => work(span));
  } catch (thrown) {
    span.fail(wordFor(thrown));
    throw thrown;
  } finally {
    span.end();
  }
}

/** What is done now is about this aggregate; ignored when it cannot be an id. */
export function noteSubject(subject: unknown): void {
  const scope = scopes.getStore();
  const id = typeof subject === 'string' ? known(subject) : undefined;
  if (!scope || !id) return;
  scope.subject = id;
  scope.span?.add({ [SUBJECT]: id });
}

/** For each line of the log. */
export function logFields(): object {
  const { trace, subject } = scopes.getStore() ?? {};
  return { ...(trace ? { traceId: trace.traceId } : {}), ...(subject ? { subject } : {}) };
}
