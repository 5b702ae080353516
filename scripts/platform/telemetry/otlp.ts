/** What all of OTLP/JSON is made of: attributes, times and ids, as exporters, collectors and Jaeger write them. Pure. */
import * as z from 'zod/mini';

export type Attributes = Readonly<Record<string, string | number | boolean>>;

const MOST_ATTRIBUTES = 64;
const LONGEST_VALUE = 500;

const anyValue = z.object({
  stringValue: z.optional(z.string()),
  boolValue: z.optional(z.boolean()),
  intValue: z.optional(z.union([z.string(), z.number()])),
  doubleValue: z.optional(z.number()),
  arrayValue: z.optional(z.unknown()),
});

export const attributes = z._default(z.array(z.object({ key: z.string(), value: z.optional(anyValue) })), []);

/** ns since 1970. */
export const nanos = z.union([
  z.string().check(z.regex(/^\d{1,20}$/, 'must be a number of nanoseconds')),
  z.number().check(z.gte(0)),
]);

/** Hexadecimal in OTLP/JSON; base64 in the JSON of protobuf, which some answer. */
const id = (hex: number, base64: number, padding: string) =>
  z
    .string()
    .check(
      z.regex(
        new RegExp(`^([0-9a-fA-F]{${hex}}|[A-Za-z0-9+/]{${base64}}${padding})$`),
        `must be ${hex} hexadecimal digits`,
      ),
    );
export const traceId = id(32, 22, '==');
export const spanId = id(16, 11, '=');

export const hexOf = (id: string): string =>
  id.endsWith('=') ? Buffer.from(id, 'base64').toString('hex') : id.toLowerCase();

/** Milliseconds since 1970, to the microsecond. */
export const msOf = (time: z.infer<typeof nanos>): number => Math.round(Number(time) / 1_000) / 1_000;

function plainValue(value: z.infer<typeof anyValue> | undefined): string | number | boolean {
  if (value?.stringValue !== undefined) return value.stringValue.slice(0, LONGEST_VALUE);
  if (value?.intValue !== undefined) return Number(value.intValue);
  return value?.doubleValue ?? value?.boolValue ?? JSON.stringify(value?.arrayValue ?? null).slice(0, LONGEST_VALUE);
}

export const plain = (all: z.infer<typeof attributes>): Attributes =>
  Object.fromEntries(all.slice(0, MOST_ATTRIBUTES).map(({ key, value }) => [key, plainValue(value)]));

export const resource = z.optional(z.object({ attributes }));

export const serviceOf = (attributes: Attributes): string => String(attributes['service.name'] ?? 'unknown');
