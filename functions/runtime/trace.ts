/** W3C trace context, and the steps (spans) of a trace; ids always travel, steps are recorded once somebody wants them. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { Attributes, Span, SpanContext, Tracer } from '@opentelemetry/api';
import { AppError } from './errors.ts';

export type Trace = { readonly traceId: string; readonly traceparent: string };

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const NOBODY = /^0+$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

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

export type StepOptions = {
  /** `internal` without. */
  readonly kind?: keyof typeof KINDS;
  /** What it is a part of; a new trace when that is malformed. */
  readonly parent?: string | undefined;
  /** Values say nothing about a person, and are no secrets. */
  readonly attributes?: Attributes;
  readonly links?: readonly Trace[];
  /** ms since 1970, with fractions; now without. */
  readonly startMs?: number;
  /** Of the order that it is about; ignored unless it is a UUID. */
  readonly orderId?: string | undefined;
};

/** Something that is done, as a part of a trace. Exactly one `end` ends it, unless it is to be forgotten. */
export type Step = {
  readonly trace: Trace;
  /** What `work` does, and logs, belongs to the step. */
  run<Result>(work: () => Result): Result;
  rename(name: string): void;
  add(attributes: Attributes): void;
  event(name: string, attributes: Attributes): void;
  /** `why` is a slug, never a message. */
  fail(why: string): void;
  end(atMs?: number): void;
};

type Scope = { readonly trace: Trace; readonly step: Step | undefined; orderId: string | undefined };
const scopes = new AsyncLocalStorage<Scope | undefined>();

export type Recorder = {
  readonly api: Pick<typeof import('@opentelemetry/api'), 'context' | 'trace'>;
  readonly tracer: Tracer;
};
let recorder: Recorder | undefined;
let instrumented = false;

/** From now on steps are recorded; without a recorder no more. */
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

const ORDER = 'millrace.order.id';
const known = (orderId: string | undefined): string | undefined =>
  orderId !== undefined && UUID.test(orderId) ? orderId : undefined;

const toTime = (ms: number): [number, number] => [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1e6)];

const quietly = (): void => undefined;
const quiet = { rename: quietly, add: quietly, event: quietly, fail: quietly, end: quietly };

function unrecorded({ parent, orderId }: StepOptions): Step {
  const step: Step = {
    ...quiet,
    trace: readTrace(parent) ?? continueTrace(),
    run: (work) => scopes.run({ trace: step.trace, step, orderId: orderId ?? scopes.getStore()?.orderId }, work),
  };
  return step;
}

function asStep({ api }: Recorder, span: Span, orderId: string | undefined): Step {
  const step: Step = {
    trace: toTrace(span.spanContext()),
    run(work) {
      const scope = { trace: step.trace, step, orderId: orderId ?? scopes.getStore()?.orderId };
      return api.context.with(api.trace.setSpan(api.context.active(), span), () => scopes.run(scope, work));
    },
    rename: (name) => void span.updateName(name),
    add: (attributes) => void span.setAttributes(attributes),
    event: (name, attributes) => void span.addEvent(name, attributes),
    fail: (why) => void span.setAttribute('error.type', why).setStatus({ code: 2, message: why }),
    end: (atMs) => span.end(atMs === undefined ? undefined : toTime(atMs)),
  };
  return step;
}

/** Begins a step; whoever begins it ends it. */
export function startStep(name: string, options: StepOptions): Step {
  const orderId = known(options.orderId);
  if (!recorder) return unrecorded({ ...options, orderId });
  const { api, tracer } = recorder;
  const parent = contextOf(options.parent);
  const within = api.trace.deleteSpan(api.context.active());
  const { startMs, links = [], attributes } = options;
  const wanted = {
    kind: KINDS[options.kind ?? 'internal'],
    attributes: { ...attributes, ...(orderId ? { [ORDER]: orderId } : {}) },
    links: links.flatMap((link) => contextOf(link.traceparent) ?? []).map((context) => ({ context })),
    ...(startMs === undefined ? {} : { startTime: toTime(startMs) }),
  };
  const span = tracer.startSpan(name, wanted, parent ? api.trace.setSpanContext(within, parent) : within);
  return asStep(recorder, span, orderId);
}

/** Of what is done now: its trace, and its step if it has one. */
export function currentTrace(): Trace | undefined {
  const trace = scopes.getStore()?.trace;
  if (trace || !instrumented) return trace;
  const span = recorder?.api.trace.getActiveSpan();
  return span && toTrace(span.spanContext());
}
export const currentStep = (): Step | undefined => scopes.getStore()?.step;

/** Does `work` in a trace, for its log lines and the steps below it, without a step of its own. */
export const inTrace = <Result>(trace: Trace, work: () => Result, orderId?: string): Result =>
  scopes.run({ trace, step: undefined, orderId }, work);

/** Does `work` in no trace: what is done for many is no step of any one. */
export const inNoTrace = <Result>(work: () => Result): Result => scopes.run(undefined, work);

/** A word for what was thrown: the slug, an SQLSTATE or a system's code. */
function wordFor(thrown: unknown): string {
  if (thrown instanceof AppError) return thrown.slug;
  const { code } = (thrown ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^[A-Z0-9_]{3,40}$/.test(code) ? code : 'internal';
}

/** Does `work` as a step, of what is done now unless `parent` says otherwise. */
export async function inStep<Result>(
  name: string,
  options: StepOptions,
  work: (step: Step) => Promise<Result>,
): Promise<Result> {
  const step = startStep(name, { parent: currentTrace()?.traceparent, ...options });
  try {
    return await step.run(() => work(step));
  } catch (thrown) {
    step.fail(wordFor(thrown));
    throw thrown;
  } finally {
    step.end();
  }
}

/** What is done now is about an order; ignored unless the id is a UUID. */
export function noteOrder(orderId: unknown): void {
  const scope = scopes.getStore();
  const id = typeof orderId === 'string' ? known(orderId) : undefined;
  if (!scope || !id) return;
  scope.orderId = id;
  scope.step?.add({ [ORDER]: id });
}

/** For each line of the log. */
export function logFields(): object {
  const { trace, orderId } = scopes.getStore() ?? {};
  return { ...(trace ? { traceId: trace.traceId } : {}), ...(orderId ? { orderId } : {}) };
}
