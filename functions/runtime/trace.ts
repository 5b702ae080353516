/** W3C trace context: one trace id follows a request through HTTP, NATS headers, CloudEvents and gRPC metadata. */
import { randomBytes } from 'node:crypto';

export type Trace = { readonly traceId: string; readonly traceparent: string };

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;
const NOBODY = /^0+$/;

const make = (traceId: string): Trace => ({
  traceId,
  traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
});

/** Continues the trace of a received `traceparent`; a missing or malformed one begins a new trace. */
export function continueTrace(traceparent: string | undefined): Trace {
  const [, traceId, spanId] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (!traceId || !spanId || NOBODY.test(traceId) || NOBODY.test(spanId)) return make(randomBytes(16).toString('hex'));
  return make(traceId);
}
