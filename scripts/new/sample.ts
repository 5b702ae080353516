/** The schema of an event's data → an example of it. Pure. */
import * as z from 'zod/mini';

type Json = { readonly [word: string]: unknown };

const ID = '0199aaaa-0000-7000-8000-000000000001';
const TIME = '2026-11-20T12:00:00.000Z';
/** Texts of which one fits most patterns. */
const TEXTS = ['text', 'EUR', 'NL', 'a@example.com', 'a', '1', 'https://example.com'];

function textOf({ format, pattern, minLength = 0 }: Json): string {
  if (format === 'uuid') return ID;
  if (format === 'date-time') return TIME;
  const fits = (text: string): boolean => typeof pattern !== 'string' || new RegExp(pattern).test(text);
  return TEXTS.find((text) => fits(text) && text.length >= Number(minLength)) ?? 'text'.padEnd(Number(minLength), 'x');
}

function sampleOf(schema: Json): unknown {
  if ('const' in schema) return schema.const;
  if ('default' in schema) return schema.default;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const [first] = (schema.anyOf ?? []) as Json[];
  if (first) return sampleOf(first);
  if (schema.type === 'object') return objectOf(schema);
  if (schema.type === 'array') return Number(schema.minItems ?? 0) > 0 ? [sampleOf(schema.items as Json)] : [];
  if (schema.type === 'integer' || schema.type === 'number')
    return Math.max(1, Number(schema.minimum ?? 1), Number(schema.exclusiveMinimum ?? 0) + 1);
  if (schema.type === 'string') return textOf(schema);
  return schema.type === 'boolean' ? true : null;
}

function objectOf({ properties = {}, required = [] }: Json): Json {
  const fields = Object.entries(properties as Readonly<Record<string, Json>>);
  return Object.fromEntries(
    fields.filter(([name]) => (required as string[]).includes(name)).map(([name, schema]) => [name, sampleOf(schema)]),
  );
}

/** Data that the schema takes, as far as its words say what that is. */
export const sample = (schema: z.ZodMiniType): unknown => sampleOf(z.toJSONSchema(schema, { io: 'input' }) as Json);
