/** Two JSON Schemas of the same message, of yesterday and today → where a reader of one cannot stand what a writer of the other writes. Pure. */

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A message's schema as its readers take it (fields with a default may be missing), and as its writers write it. */
export type MessageSchema = { readonly reads: JsonSchema; readonly writes: JsonSchema };

/** Words that do not narrow what a schema allows. Unknown fields never do: readers pass over them, writers have none. */
const SILENT = new Set(['$schema', 'default', 'title', 'description', 'additionalProperties']);
const COMPARED = new Set(['type', 'enum', 'const', 'properties', 'required', 'items']);
const LEAST = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems']);
const MOST = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems']);

const propertiesOf = (schema: JsonSchema) => (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
const requiredOf = (schema: JsonSchema): readonly string[] => (schema.required ?? []) as string[];
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const list = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(', ');

function valuesOf(schema: JsonSchema): readonly unknown[] | undefined {
  if ('const' in schema) return [schema.const];
  return schema.enum as unknown[] | undefined;
}

/** `{ anyOf: [a, b] }` and `{ type: [a, b] }` → their alternatives, each with one type. */
function alternatives(schema: JsonSchema): JsonSchema[] {
  const { anyOf, ...rest } = schema;
  if (Array.isArray(anyOf)) return anyOf.flatMap((one: JsonSchema) => alternatives({ ...rest, ...one }));
  if (Array.isArray(schema.type)) return schema.type.map((type) => ({ ...schema, type }));
  return [schema];
}

/** Whole numbers above 0 are those from 1. */
function wholeBounds(schema: JsonSchema): JsonSchema {
  const { exclusiveMinimum, ...rest } = schema;
  if (schema.type !== 'integer' || typeof exclusiveMinimum !== 'number' || 'minimum' in rest) return schema;
  return { ...rest, minimum: exclusiveMinimum + 1 };
}

type Compare = {
  readonly path: string;
  /** Readers know nothing of fields that came later; of those that they know, none may be gone. */
  readonly mayOmit: boolean;
};

const at = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

function fieldFaults(reader: JsonSchema, written: JsonSchema, { path, mayOmit }: Compare): string[] {
  const [known, given] = [propertiesOf(reader), propertiesOf(written)];
  return Object.entries(known).flatMap(([name, schema]) => {
    const field = given[name];
    const needed = requiredOf(reader).includes(name) || (!mayOmit && 'default' in schema);
    if (field === undefined) return needed || !mayOmit ? [`${at(path, name)} is not there`] : [];
    const missing = needed && !requiredOf(written).includes(name) ? [`${at(path, name)} may be missing`] : [];
    return [...missing, ...faults(schema, field, { path: at(path, name), mayOmit })];
  });
}

function valueFaults(reader: JsonSchema, written: JsonSchema, path: string): string[] {
  const [known, given] = [valuesOf(reader), valuesOf(written)];
  if (!known) return [];
  if (!given) return [`${path} may be anything, not only ${list(known)}`];
  const strange = given.filter((value) => !known.includes(value));
  return strange.length > 0 ? [`${path} may be ${list(strange)}`] : [];
}

function wordFault(word: string, limit: unknown, given: unknown, path: string): string | undefined {
  if (SILENT.has(word) || COMPARED.has(word) || same(limit, given)) return undefined;
  if (LEAST.has(word) && typeof given === 'number' && given >= Number(limit)) return undefined;
  if (MOST.has(word) && typeof given === 'number' && given <= Number(limit)) return undefined;
  return `${path} has ${word} ${JSON.stringify(given) ?? 'none'}, not ${JSON.stringify(limit)}`;
}

const isReadAs = (reader: JsonSchema, written: JsonSchema): boolean =>
  reader.type === undefined || reader.type === written.type || (reader.type === 'number' && written.type === 'integer');

function plainFaults(reader: JsonSchema, written: JsonSchema, compare: Compare): string[] {
  const path = compare.path || 'the data';
  const words = Object.entries(reader).flatMap(([word, limit]) => wordFault(word, limit, written[word], path) ?? []);
  const items = reader.items as JsonSchema | undefined;
  const inItems = items
    ? faults(items, (written.items ?? {}) as JsonSchema, { ...compare, path: `${compare.path}[]` })
    : [];
  return [...valueFaults(reader, written, path), ...words, ...fieldFaults(reader, written, compare), ...inItems];
}

/** What `written` allows and `reader` does not, in words; empty when all that can be written can be read. */
function faults(reader: JsonSchema, written: JsonSchema, compare: Compare): string[] {
  const readers = alternatives(reader).map(wholeBounds);
  return alternatives(written)
    .map(wholeBounds)
    .flatMap((one) => {
      const fitting = readers.filter((candidate) => isReadAs(candidate, one));
      const tried = fitting.map((candidate) => plainFaults(candidate, one, compare));
      return (
        tried.find((found) => found.length === 0) ??
        tried[0] ?? [`${compare.path || 'the data'} may be ${one.type ?? 'anything'}`]
      );
    });
}

/**
 * Why today's schema cannot take the place of yesterday's: today's readers must read what was written since the first day,
 * and yesterday's readers, still running while a new version is rolled out, what is written today.
 */
export function incompatibilities(yesterday: JsonSchema, today: MessageSchema): string[] {
  const oldData = faults(today.reads, yesterday, { path: '', mayOmit: true });
  const oldReaders = faults(yesterday, today.writes, { path: '', mayOmit: false });
  return [
    ...oldData.map((fault) => `in old data that new code reads, ${fault}`),
    ...oldReaders.map((fault) => `in new data that old code reads, ${fault}`),
  ];
}
