/** W3C trace context: one trace id follows a request through HTTP, NATS headers, CloudEvents and gRPC metadata. */
import { randomBytes } from 'node:crypto';

export type Trace = { readonly traceId: string; readonly traceparent: string };

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;
const NOBODY = /^0+$/;

const make = (traceId: string): Trace => ({
  traceId,
  traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
});

/** The trace id of a `traceparent`; undefined when that is missing or malformed. */
function traceIdOf(traceparent: string | undefined): string | undefined {
  const [, traceId, spanId] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  return traceId && spanId && !NOBODY.test(traceId) && !NOBODY.test(spanId) ? traceId : undefined;
}

/** Continues the trace of the first `traceparent` that is well formed; without any it begins a new trace. */
export function continueTrace(...received: readonly (string | undefined)[]): Trace {
  const traceId = received.map(traceIdOf).find((id) => id !== undefined);
  return make(traceId ?? randomBytes(16).toString('hex'));
}
