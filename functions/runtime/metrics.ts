/** Counters, gauges and histograms of this process, pushed as OTLP/JSON: a pod that lives for seconds cannot be scraped. */
import type { Shell } from './function.ts';
import { instanceId } from './telemetry/instance.ts';
import { type Attributes, BOUNDS, exportRequest, type Instrument, type Series } from './telemetry/metrics-wire.ts';
import { post } from './telemetry/post.ts';

/** Of one instrument; what comes above it is counted together. */
const MAX_SERIES = 100;
const OVERFLOW: Attributes = { 'otel.metric.overflow': 'true' };
const PUSH_EVERY_MS = 5_000;
/** Prometheus takes nothing that is much older than what it has. */
const OLDEST_ZERO_MS = 60_000;

const instruments = new Map<string, Instrument>();
const startedAt = Date.now();

function seriesOf(kind: Instrument['kind'], name: string, attributes: Attributes): Series {
  const instrument = instruments.get(name) ?? { kind, series: new Map<string, Series>() };
  instruments.set(name, instrument);
  const known = instrument.series.get(JSON.stringify(attributes));
  if (known) return known;
  const kept = instrument.series.size < MAX_SERIES ? attributes : OVERFLOW;
  const buckets = kind === 'histogram' ? Array.from({ length: BOUNDS.length + 1 }, () => 0) : [];
  const fresh = { attributes: kept, value: 0, buckets, exemplars: new Map(), pushed: false };
  const series = instrument.series.get(JSON.stringify(kept)) ?? fresh;
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

/** Adds a sample in seconds to a histogram; `traceId` is that of the trace in which it was taken. */
export function record(name: string, attributes: Attributes, seconds: number, traceId?: string): void {
  if (Number.isNaN(seconds)) return;
  const series = seriesOf('histogram', name, attributes);
  const value = Math.max(0, seconds);
  const found = BOUNDS.findIndex((bound) => value <= bound);
  const bucket = found < 0 ? BOUNDS.length : found;
  series.value += value;
  series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1;
  if (traceId) series.exemplars.set(bucket, { value, at: Date.now(), traceId });
}

/** Pushes again and again and once at the end, when OTEL_EXPORTER_OTLP_ENDPOINT is set. A push that fails is dropped. */
export function pushMetrics(
  shell: Pick<Shell, 'name' | 'log' | 'onClose'> & {
    readonly settings: Pick<Shell['settings'], 'OTEL_EXPORTER_OTLP_ENDPOINT'>;
  },
  everyMs: number = PUSH_EVERY_MS,
): void {
  const endpoint = shell.settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!endpoint) return;
  const url = new URL(`${endpoint.replace(/\/+$/, '')}/v1/metrics`);
  const resource = { 'service.name': shell.name, 'service.namespace': 'millrace', 'service.instance.id': instanceId };
  let failing = false;
  let pending: Promise<void> | undefined;
  let pushedAt = startedAt;
  const push = async (): Promise<void> => {
    try {
      if (instruments.size > 0) await pushAll();
      failing = false;
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      if (!failing) shell.log.warn({ detail }, 'metrics cannot be pushed and are dropped');
      failing = true;
    } finally {
      pending = undefined;
    }
  };
  const pushAll = async (): Promise<void> => {
    const now = Date.now();
    const zeroAt = Math.min(Math.max(pushedAt, now - OLDEST_ZERO_MS), now - 1);
    const all = [...instruments.values()].flatMap(({ series }) => [...series.values()]);
    const body = exportRequest(resource, instruments, { startedAt, zeroAt, now });
    // Each is pushed once, and belongs to the samples since the push before.
    for (const { exemplars } of all) exemplars.clear();
    await post(url, body);
    pushedAt = now;
    for (const series of all) series.pushed = true;
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
