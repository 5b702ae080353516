/** Instruments as they stand → the body of an OTLP/JSON request. Pure. */

export type Attributes = Readonly<Record<string, string>>;
type Kind = 'counter' | 'gauge' | 'histogram';
/** One sample, with the trace in which it was taken. */
type Exemplar = { readonly value: number; readonly at: number; readonly traceId: string };
export type Series = {
  readonly attributes: Attributes;
  /** Of a histogram the sum of its samples. */
  value: number;
  /** Samples by bucket, one more than there are bounds; empty unless it is a histogram. */
  readonly buckets: number[];
  /** Bucket → its latest sample that has a trace. */
  readonly exemplars: Map<number, Exemplar>;
  /** True when it has been pushed before. */
  pushed: boolean;
};
export type Instrument = { readonly kind: Kind; readonly series: Map<string, Series> };

/** Seconds, for all histograms: from a quick handler to a message that waited for an hour. */
export const BOUNDS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600,
];

/** Times in ms since 1970. At `zeroAt` what was never pushed before was still zero. */
type When = { readonly startedAt: number; readonly zeroAt: number; readonly now: number };

const nanos = (ms: number): string => `${ms}000000`;
const toWire = (attributes: Attributes) =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: value } }));

const exemplarToWire = ({ value, at, traceId }: Exemplar) => ({
  timeUnixNano: nanos(at),
  asDouble: value,
  traceId,
});

function pointOf(kind: Kind, { value, buckets, exemplars }: Pick<Series, 'value' | 'buckets' | 'exemplars'>) {
  if (kind !== 'histogram') return { asDouble: value };
  return {
    count: String(buckets.reduce((sum, samples) => sum + samples, 0)),
    sum: value,
    bucketCounts: buckets.map(String),
    explicitBounds: BOUNDS,
    exemplars: [...exemplars.values()].map(exemplarToWire),
  };
}

/**
 * A series that is new begins with a point of zero: from the value alone nobody could tell what has been added since, and a
 * process that is pushed from once would add nothing to any rate.
 */
function pointsOf(kind: Kind, series: Series, { startedAt, zeroAt, now }: When) {
  const about = { attributes: toWire(series.attributes), startTimeUnixNano: nanos(startedAt) };
  const current = { ...about, timeUnixNano: nanos(now), ...pointOf(kind, series) };
  if (series.pushed || kind === 'gauge') return [current];
  const nothing = { value: 0, buckets: series.buckets.map(() => 0), exemplars: new Map() };
  return [{ ...about, timeUnixNano: nanos(zeroAt), ...pointOf(kind, nothing) }, current];
}

const CUMULATIVE = 2;

function metricOf(name: string, { kind, series }: Instrument, when: When) {
  const dataPoints = [...series.values()].flatMap((each) => pointsOf(kind, each, when));
  if (kind === 'gauge') return { name, gauge: { dataPoints } };
  if (kind === 'counter') return { name, sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true } };
  return { name, unit: 's', histogram: { dataPoints, aggregationTemporality: CUMULATIVE } };
}

export function exportRequest(resource: Attributes, instruments: ReadonlyMap<string, Instrument>, when: When): string {
  const metrics = [...instruments].map(([name, instrument]) => metricOf(name, instrument, when));
  const scopeMetrics = [{ scope: { name: 'millrace' }, metrics }];
  return JSON.stringify({ resourceMetrics: [{ resource: { attributes: toWire(resource) }, scopeMetrics }] });
}
