/** Counters and gauges of this process, pushed as OTLP/JSON: a pod that lives for seconds cannot be scraped. */
import { randomUUID } from 'node:crypto';
import type { Shell } from './function.ts';

type Attributes = Readonly<Record<string, string>>;
type Series = { readonly attributes: Attributes; value: number };
type Instrument = { readonly kind: 'counter' | 'gauge'; readonly series: Map<string, Series> };

/** Of one instrument; what comes above it is counted together. */
const MAX_SERIES = 100;
const OVERFLOW: Attributes = { 'otel.metric.overflow': 'true' };
const PUSH_EVERY_MS = 5_000;
const PUSH_TIMEOUT_MS = 1_000;

const instruments = new Map<string, Instrument>();
const startedAt = Date.now();
const instanceId = randomUUID();

function seriesOf(kind: Instrument['kind'], name: string, attributes: Attributes): Series {
  const instrument = instruments.get(name) ?? { kind, series: new Map<string, Series>() };
  instruments.set(name, instrument);
  const known = instrument.series.get(JSON.stringify(attributes));
  if (known) return known;
  const kept = instrument.series.size < MAX_SERIES ? attributes : OVERFLOW;
  const series = instrument.series.get(JSON.stringify(kept)) ?? { attributes: kept, value: 0 };
  instrument.series.set(JSON.stringify(kept), series);
  return series;
}

/** Adds to a counter. Attributes have few values, such as a target and a code; never an id. */
export function count(name: string, attributes: Attributes, by = 1): void {
  seriesOf('counter', name, attributes).value += by;
}

export function setGauge(name: string, attributes: Attributes, value: number): void {
  seriesOf('gauge', name, attributes).value = value;
}

const nanos = (ms: number): string => `${ms}000000`;
const toWire = (attributes: Attributes) =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: value } }));

/** Everything counted so far, as the body of an OTLP request. */
function exportRequest(service: string): string {
  const metrics = [...instruments].map(([name, { kind, series }]) => {
    const dataPoints = [...series.values()].map(({ attributes, value }) => ({
      attributes: toWire(attributes),
      startTimeUnixNano: nanos(startedAt),
      timeUnixNano: nanos(Date.now()),
      asDouble: value,
    }));
    return kind === 'gauge'
      ? { name, gauge: { dataPoints } }
      : { name, sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true } };
  });
  const resource = { 'service.name': service, 'service.namespace': 'millrace', 'service.instance.id': instanceId };
  const scopeMetrics = [{ scope: { name: 'millrace' }, metrics }];
  return JSON.stringify({ resourceMetrics: [{ resource: { attributes: toWire(resource) }, scopeMetrics }] });
}

async function post(url: URL, body: string): Promise<void> {
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  await new Promise<void>((resolve, reject) => {
    const signal = AbortSignal.timeout(PUSH_TIMEOUT_MS);
    const sent = request(url, { method: 'POST', headers, signal, agent: false }, (response) => {
      response.once('error', reject).once('end', resolve).resume();
      const { statusCode = 0 } = response;
      if (statusCode >= 300) reject(new Error(`it answered ${statusCode}`));
    });
    sent.once('error', reject).end(body);
  });
}

/** Pushes again and again and once at the end, when OTEL_EXPORTER_OTLP_ENDPOINT is set. A push that fails is dropped. */
export function pushMetrics(
  shell: Pick<Shell, 'name' | 'settings' | 'log' | 'onClose'>,
  everyMs: number = PUSH_EVERY_MS,
): void {
  const endpoint = shell.settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!endpoint) return;
  const url = new URL(`${endpoint.replace(/\/+$/, '')}/v1/metrics`);
  let failing = false;
  let pending: Promise<void> | undefined;
  const push = async (): Promise<void> => {
    try {
      if (instruments.size > 0) await post(url, exportRequest(shell.name));
      failing = false;
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      if (!failing) shell.log.warn({ detail }, 'metrics cannot be pushed and are dropped');
      failing = true;
    } finally {
      pending = undefined;
    }
  };
  const pushOnce = (): Promise<void> => {
    pending ??= push();
    return pending;
  };
  const timer = setInterval(pushOnce, everyMs).unref();
  shell.onClose(async () => {
    clearInterval(timer);
    await pending;
    await pushOnce();
  });
}
