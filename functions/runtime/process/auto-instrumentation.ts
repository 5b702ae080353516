/**
 * OpenTelemetry's automatic instrumentations, for a function that never starts cold. They patch what is required after them,
 * and only what is outside of the bundle.
 */

import { leaveToInstrumentations } from '../trace.ts';
import { readSettings } from './settings.ts';

/** What a function does without being asked by a caller: probes, pushes of what is told here, connections. */
const NOISE = ['http', 'net', 'dns', 'undici'] as const;

function endpoint(): string | undefined {
  try {
    return readSettings({}).OTEL_EXPORTER_OTLP_ENDPOINT;
  } catch {
    // The function says it, with all else that is wrong.
    return undefined;
  }
}

/** Resolves when what is loaded now will be instrumented; does nothing where no spans are wanted. */
export async function instrument(): Promise<void> {
  if (!endpoint()) return;
  const { context, propagation } = await import('@opentelemetry/api');
  const { AsyncLocalStorageContextManager } = await import('@opentelemetry/context-async-hooks');
  const { W3CTraceContextPropagator } = await import('@opentelemetry/core');
  const { registerInstrumentations } = await import('@opentelemetry/instrumentation');
  const { getNodeAutoInstrumentations } = await import('@opentelemetry/auto-instrumentations-node');
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  registerInstrumentations({
    instrumentations: getNodeAutoInstrumentations({
      ...Object.fromEntries(NOISE.map((name) => [`@opentelemetry/instrumentation-${name}`, { enabled: false }])),
      '@opentelemetry/instrumentation-grpc': { ignoreGrpcMethods: ['Check', 'Watch'] },
      '@opentelemetry/instrumentation-pg': { requireParentSpan: true },
    }),
  });
  leaveToInstrumentations();
}
