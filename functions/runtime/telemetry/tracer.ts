/** The recorder of spans: OpenTelemetry's SDK, and spans pushed as OTLP/JSON. Loaded only where somebody wants them. */
import { type Attributes, type AttributeValue, context, type HrTime, trace } from '@opentelemetry/api';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Shell } from '../function.ts';
import { recordWith } from '../trace.ts';
import { instanceId } from './instance.ts';
import { post } from './post.ts';

const OWN = 'millrace';
const PUSH_EVERY_MS = 1_000;
const BATCH = 512;
/** Spans that wait to be pushed; what comes above it is dropped. */
const MOST_WAITING = 2_048;

const nanos = ([seconds, rest]: HrTime): string => `${seconds}${String(rest).padStart(9, '0')}`;

const toValue = (value: AttributeValue | undefined): object => {
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { stringValue: String(value) };
};
const toWire = (attributes: Attributes) =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: toValue(value) }));

/** What the instrumentation of gRPC puts before the name of a method. */
const INSTRUMENTED_CALL = /^grpc\./;

/** Of what others record, messages of errors are left out: they may quote what a person has sent. */
const isQuote = (key: string): boolean => key === 'exception.message' || key === 'exception.stacktrace';

function toSpan(span: ReadableSpan) {
  const { traceId, spanId, traceFlags } = span.spanContext();
  const own = span.instrumentationScope.name === OWN;
  const { code, message } = span.status;
  return {
    traceId,
    spanId,
    ...(span.parentSpanContext ? { parentSpanId: span.parentSpanContext.spanId } : {}),
    flags: traceFlags,
    name: span.name.replace(INSTRUMENTED_CALL, ''),
    kind: span.kind + 1,
    startTimeUnixNano: nanos(span.startTime),
    endTimeUnixNano: nanos(span.endTime),
    attributes: toWire(span.attributes),
    events: span.events.map(({ name, time, attributes = {} }) => ({
      name,
      timeUnixNano: nanos(time),
      attributes: toWire(attributes).filter(({ key }) => own || !isQuote(key)),
    })),
    links: span.links.map((link) => ({ traceId: link.context.traceId, spanId: link.context.spanId })),
    status: { code, ...(own && message ? { message } : {}) },
  };
}

/** The body of an OTLP request. */
function exportRequest(spans: readonly ReadableSpan[], service: string): string {
  const resource = { 'service.name': service, 'service.namespace': OWN, 'service.instance.id': instanceId };
  const scopes = Object.groupBy(spans, (span) => span.instrumentationScope.name);
  const scopeSpans = Object.entries(scopes).map(([name, own = []]) => ({ scope: { name }, spans: own.map(toSpan) }));
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: toWire(resource) }, scopeSpans }] });
}

type Telling = Pick<Shell, 'name' | 'log' | 'onClose'>;

/** A push that fails is dropped, and told of once. */
function openExporter({ name, log }: Telling, endpoint: string): SpanExporter {
  const url = new URL(`${endpoint.replace(/\/+$/, '')}/v1/traces`);
  let failing = false;
  const push = async (spans: readonly ReadableSpan[]): Promise<void> => {
    try {
      await post(url, exportRequest(spans, name));
      failing = false;
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      if (!failing) log.warn({ detail }, 'traces cannot be pushed and are dropped');
      failing = true;
    }
  };
  return {
    export: (spans, done) => void push(spans).finally(() => done({ code: 0 })),
    shutdown: async () => undefined,
  };
}

/** Records spans until the function ends, pushes them every second or 512, and what is left at the end. */
export function openTracer(shell: Telling, endpoint: string): void {
  const exporter = openExporter(shell, endpoint);
  const processor = new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: PUSH_EVERY_MS,
    maxExportBatchSize: BATCH,
    maxQueueSize: MOST_WAITING,
  });
  const provider = new TracerProvider({ spanProcessors: [processor] });
  trace.setGlobalTracerProvider(provider);
  recordWith({ api: { context, trace }, tracer: provider.getTracer(OWN) });
  shell.onClose(() => provider.shutdown());
}
