/** Metrics in OTLP/JSON → points, each by itself. Pure. */
import * as z from 'zod/mini';
import { validate } from '../../../functions/runtime/schema.ts';
import { type Attributes, attributes, msOf, nanos, plain, resource, serviceOf } from './otlp.ts';

export type Point = {
  readonly service: string;
  /** Of the process that counted. */
  readonly instance: string;
  readonly name: string;
  readonly kind: 'gauge' | 'sum' | 'histogram';
  readonly attributes: Attributes;
  /** ms since 1970. */
  readonly at: number;
  /** Of a histogram its sum. */
  readonly value: number;
  /** Of a histogram: how many were measured, how many in each bucket, and the upper bounds of all but the last one. */
  readonly count?: number;
  readonly buckets?: readonly number[];
  readonly bounds?: readonly number[];
};

const MOST_BUCKETS = 100;

const whole = z.union([z.string().check(z.regex(/^-?\d{1,20}$/)), z.number()]);
const point = z.object({
  attributes,
  timeUnixNano: nanos,
  asDouble: z.optional(z.number()),
  asInt: z.optional(whole),
  count: z.optional(whole),
  sum: z.optional(z.number()),
  bucketCounts: z.optional(z.array(whole).check(z.maxLength(MOST_BUCKETS))),
  explicitBounds: z.optional(z.array(z.number()).check(z.maxLength(MOST_BUCKETS))),
});
const series = z.optional(z.object({ dataPoints: z._default(z.array(point), []) }));
const metric = z.object({
  name: z.string().check(z.minLength(1), z.maxLength(200)),
  gauge: series,
  sum: series,
  histogram: series,
});
const metricsData = z.object({
  resourceMetrics: z._default(
    z.array(
      z.object({
        resource,
        scopeMetrics: z._default(z.array(z.object({ metrics: z._default(z.array(metric), []) })), []),
      }),
    ),
    [],
  ),
});

const detailsOf = ({ count, bucketCounts, explicitBounds }: z.infer<typeof point>) => ({
  ...(count === undefined ? {} : { count: Number(count) }),
  ...(bucketCounts ? { buckets: bucketCounts.map(Number) } : {}),
  ...(explicitBounds ? { bounds: explicitBounds } : {}),
});

/** Throws `invalid` when it is not `{ resourceMetrics: [...] }` with metrics as OTLP has them; other kinds are left out. */
export const readPoints = (data: unknown): Point[] =>
  validate(metricsData, data, 'The body', 'invalid-otlp').resourceMetrics.flatMap(({ resource, scopeMetrics }) => {
    const from = plain(resource?.attributes ?? []);
    const who = { service: serviceOf(from), instance: String(from['service.instance.id'] ?? '') };
    return scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap((one) =>
        (['gauge', 'sum', 'histogram'] as const).flatMap((kind) =>
          (one[kind]?.dataPoints ?? []).map((raw) => ({
            ...who,
            name: one.name,
            kind,
            attributes: plain(raw.attributes),
            at: msOf(raw.timeUnixNano),
            value: Number(raw.asDouble ?? raw.asInt ?? raw.sum ?? 0),
            ...detailsOf(raw),
          })),
        ),
      ),
    );
  });
