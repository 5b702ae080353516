/** The events that contexts publish → what code that takes them says about them, and an example. */
import path from 'node:path';
import * as z from 'zod/mini';
import { type DefinedContext, eventsOf, readContexts } from '../registry/contexts.ts';
import { repository } from '../registry/repository.ts';
import type { Request } from './request.ts';
import { pathTo } from './sources.ts';

export const ID = '0199aaaa-0000-7000-8000-000000000001';
export const TIME = '2026-11-20T12:00:00.000Z';

/** What a context's events.ts calls its schemas and the name of its stream. */
type Names = { readonly schemas: string; readonly stream: string };

async function namesOf({ name, events, stream }: DefinedContext): Promise<Names> {
  const exported = Object.entries(await import(path.join(repository, 'functions', name, 'events.ts')));
  const nameOf = (what: string, wanted: unknown): string => {
    const found = exported.find(([, value]) => value === wanted);
    if (found) return found[0];
    throw new Error(`functions/${name}/events.ts exports no ${what}: export there what context.ts declares`);
  };
  return { schemas: nameOf('schemas of its events', events), stream: nameOf('name of its stream', stream?.name) };
}

const CONTEXTS = await readContexts();
const PUBLISHED = eventsOf(CONTEXTS);
const NAMES = new Map<string, Names>();
for (const context of CONTEXTS) if (context.events) NAMES.set(context.name, await namesOf(context));

/** Every event that can be taken. */
export const EVENTS = Object.keys(PUBLISHED);

export const aggregateOf = (event: string): string => event.split('.')[0] ?? '';

/** Names and expressions for a source. */
export function wordsOf({ context, events }: Request) {
  const owner = PUBLISHED[events[0] ?? '']?.context;
  const names = NAMES.get(owner?.name ?? '');
  if (!owner || !names) throw new Error(`no context publishes ${events[0]}: declare it in the context.ts of one`);
  const { schemas, stream } = names;
  return {
    isOfUsers: owner.name === 'users',
    list: events.join(', '),
    stream,
    streamName: owner.stream?.name ?? '',
    schemas,
    module: pathTo(context, owner.name, 'events.ts'),
    data: `z.infer<(typeof ${schemas})[${events.map((event) => `'${event}'`).join(' | ')}]>`,
    accepts: `{ ${events.map((event) => `'${event}': ${schemas}['${event}']`).join(', ')} }`,
  };
}

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Of classes of characters such as `^[A-Z]{3}$`. */
function textLike(pattern: string, field: string): string {
  const text = pattern.replaceAll(/\[([^\]])[^\]]*\](?:\{(\d+)[^}]*\})?|[\^$]/g, (_, one = '', times = 1) =>
    one.repeat(times),
  );
  if (new RegExp(pattern).test(text)) return text;
  throw new Error(`no example of ${field} fits ${pattern}: teach textLike in scripts/new/events.ts such patterns`);
}

function sampleText({ format, pattern }: JsonSchema, field: string): string {
  if (format === 'uuid') return ID;
  if (format === 'date-time') return TIME;
  return pattern === undefined ? 'text' : textLike(pattern, field);
}

/** The least that a schema takes. */
export function sampleOf(schema: JsonSchema, field: string): unknown {
  const { type, enum: values, anyOf, properties = {}, required = [] } = schema;
  if (values) return values[0];
  if (anyOf) return anyOf.some((one) => one.type === 'null') ? null : sampleOf(anyOf[0] ?? {}, field);
  if ([type].flat().includes('null')) return null;
  if (type === 'string') return sampleText(schema, field);
  if (type === 'boolean') return false;
  if (type === 'array') return [];
  if (type === 'integer' || type === 'number') return Math.max(1, schema.minimum ?? 1);
  return Object.fromEntries(required.map((name) => [name, sampleOf((properties[name] ?? {}) as JsonSchema, name)]));
}

/** The data of the first event, as an expression that its schema checks. */
export function example(request: Request): string {
  const [event = ''] = request.events;
  const schema = PUBLISHED[event]?.schema;
  const data = schema ? sampleOf(z.toJSONSchema(schema, { io: 'input' }), event) : {};
  return `${wordsOf(request).schemas}['${event}'].parse(${JSON.stringify(data)})`;
}
