/** A body of OTLP/JSON metrics → series as Prometheus 3 makes them of it, with its default names. Pure. */
import * as z from 'zod/mini';

type Labels = Readonly<Record<string, string>>;
/** Times are ms since 1970. */
type Sample = { readonly value: number; readonly at: number };
type Exemplar = Sample & { readonly traceId: string };
export type TimeSeries = {
  readonly labels: Labels;
  readonly samples: readonly Sample[];
  readonly exemplars: readonly Exemplar[];
};

const attributes = z.array(z.object({ key: z.string(), value: z.object({ stringValue: z.string() }) }));
const nanos = z.string().check(z.regex(/^\d{19}$/));
const about = { attributes, timeUnixNano: nanos };
const number = z.object({ ...about, asDouble: z.number() });
const exemplar = z.object({ timeUnixNano: nanos, asDouble: z.number(), traceId: z.string() });
const distribution = z.object({
  ...about,
  count: z.string(),
  sum: z.number(),
  bucketCounts: z.array(z.string()),
  explicitBounds: z.array(z.number()),
  exemplars: z.array(exemplar),
});
const cumulative = z.literal(2);
const metric = z.object({
  name: z.string(),
  unit: z.optional(z.literal('s')),
  gauge: z.optional(z.object({ dataPoints: z.array(number) })),
  sum: z.optional(
    z.object({ dataPoints: z.array(number), aggregationTemporality: cumulative, isMonotonic: z.literal(true) }),
  ),
  histogram: z.optional(z.object({ dataPoints: z.array(distribution), aggregationTemporality: cumulative })),
});
const request = z.object({
  resourceMetrics: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeMetrics: z.array(z.object({ metrics: z.array(metric) })),
    }),
  ),
});

const underscored = (name: string): string => name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
const msOf = (text: string): number => Number(text.slice(0, -6));
const plain = (sent: z.infer<typeof attributes>): Record<string, string> =>
  Object.fromEntries(sent.map(({ key, value }) => [key, value.stringValue]));
const labelsOf = (sent: z.infer<typeof attributes>): Labels =>
  Object.fromEntries(Object.entries(plain(sent)).map(([key, value]) => [underscored(key), value]));

const one = (name: string, labels: Labels, value: number, at: number, exemplars: Exemplar[] = []): TimeSeries => ({
  labels: { ...labels, __name__: name },
  samples: [{ value, at }],
  exemplars,
});

/** As cumulative buckets; an exemplar goes to the first that it fits in. */
function seriesOfHistogram(name: string, point: z.infer<typeof distribution>, labels: Labels): TimeSeries[] {
  const at = msOf(point.timeUnixNano);
  let sum = 0;
  let below = Number.NEGATIVE_INFINITY;
  const buckets = point.bucketCounts.map((samples, index) => {
    const bound = point.explicitBounds[index] ?? Number.POSITIVE_INFINITY;
    const fits = point.exemplars.filter(({ asDouble }) => asDouble > below && asDouble <= bound);
    sum += Number(samples);
    below = bound;
    const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound);
    const exemplars = fits.map(({ asDouble, timeUnixNano, traceId }) => ({
      value: asDouble,
      at: msOf(timeUnixNano),
      traceId,
    }));
    return one(`${name}_bucket`, { ...labels, le }, sum, at, exemplars);
  });
  return [...buckets, one(`${name}_sum`, labels, point.sum, at), one(`${name}_count`, labels, Number(point.count), at)];
}

function seriesOfMetric({ name, unit, gauge, sum, histogram }: z.infer<typeof metric>, resource: Labels): TimeSeries[] {
  const base = underscored(name) + (unit ? '_seconds' : '');
  const numbers = (points: readonly z.infer<typeof number>[], suffix: string) =>
    points.map((point) =>
      one(base + suffix, { ...labelsOf(point.attributes), ...resource }, point.asDouble, msOf(point.timeUnixNano)),
    );
  return [
    ...numbers(gauge?.dataPoints ?? [], ''),
    ...numbers(sum?.dataPoints ?? [], '_total'),
    ...(histogram?.dataPoints ?? []).flatMap((point) =>
      seriesOfHistogram(base, point, { ...labelsOf(point.attributes), ...resource }),
    ),
  ];
}

/** Throws when the body is not as it should be. `service.name` is promoted, as the configuration says. */
export function seriesOf(body: unknown): TimeSeries[] {
  return request.parse(body).resourceMetrics.flatMap(({ resource, scopeMetrics }) => {
    const {
      'service.name': name = '',
      'service.namespace': namespace,
      'service.instance.id': instance = '',
    } = plain(resource.attributes);
    const labels = { job: `${namespace}/${name}`, instance, service_name: name };
    return scopeMetrics.flatMap(({ metrics }) => metrics.flatMap((each) => seriesOfMetric(each, labels)));
  });
}
