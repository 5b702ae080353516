/** The schemas of events, published and stored, and of snapshots → functions/<context>/schemas, unless old data or old readers could not stand them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod/mini';
import { incompatibilities, type JsonSchema, type MessageSchema } from './compatibility.ts';
import { type DefinedContext, readContexts } from './contexts.ts';
import { repository } from './repository.ts';

const FUNCTIONS = path.join(repository, 'functions');

/** Path below functions/, without `.json`, such as `parcels/schemas/published/parcel.sent`, `…/stored/parcel.sent@1`, `…/snapshots/parcel@1` → schema. */
export type Schemas<Schema = MessageSchema> = Readonly<Record<string, Schema>>;

const messageSchema = (schema: z.ZodMiniType): MessageSchema => ({
  reads: z.toJSONSchema(schema, { io: 'input' }),
  writes: z.toJSONSchema(schema, { io: 'output' }),
});

function schemasOf({ name, events = {}, aggregates = [] }: DefinedContext): (readonly [string, MessageSchema])[] {
  const published = Object.entries(events).map(([type, schema]) => [`published/${type}`, schema] as const);
  const stored = aggregates
    .flatMap(({ storedEvents }) => Object.entries(storedEvents))
    .flatMap(([type, versions]) => versions.map((schema, index) => [`stored/${type}@${index + 1}`, schema] as const));
  const snapshots = aggregates.map(
    ({ aggregate, state }) => [`snapshots/${aggregate.name}@${aggregate.schemaVersion}`, state] as const,
  );
  return [...published, ...stored, ...snapshots].map(([file, schema]) => [
    `${name}/schemas/${file}`,
    messageSchema(schema),
  ]);
}

/** Of all contexts. */
export async function todaysSchemas(): Promise<Schemas> {
  return Object.fromEntries((await readContexts()).flatMap(schemasOf));
}

/** The schemas that were accepted last, as their readers take them. */
export function readSnapshot(folder = FUNCTIONS): Schemas<JsonSchema> {
  if (!existsSync(folder)) return {};
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /^[^/]+\/schemas\/.*\.json$/.test(file),
  );
  return Object.fromEntries(
    files
      .sort()
      .map((file) => [file.slice(0, -'.json'.length), JSON.parse(readFileSync(path.join(folder, file), 'utf8'))]),
  );
}

const NEW_STATE =
  'a state of another shape needs another number, `schemaVersion` of the aggregate, or old snapshots are taken for it';

const isSame = (accepted: JsonSchema | undefined, today: MessageSchema | undefined): boolean =>
  JSON.stringify(accepted) === JSON.stringify(today?.reads);

/** Why today's schemas can't take the place of the accepted ones; empty when they can. */
export function refusals(accepted: Schemas<JsonSchema>, today: Schemas): string[] {
  return Object.entries(accepted).flatMap(([name, old]) => {
    const schema = today[name];
    if (name.includes('/snapshots/')) return !schema || isSame(old, schema) ? [] : [`${name}: ${NEW_STATE}`];
    if (!schema) return [`${name} is gone: data of it may lie in the store or in the stream`];
    return incompatibilities(old, schema).map((why) => `${name}: ${why}`);
  });
}

/** Names of the schemas that are new, or compatible with the accepted ones but not the same. */
export const notAccepted = (accepted: Schemas<JsonSchema>, today: Schemas): string[] =>
  Object.keys(today).filter((name) => !isSame(accepted[name], today[name]));

/** Writes today's schemas if they are compatible; gives the names of those that changed. */
export function acceptSchemas(today: Schemas, folder = FUNCTIONS): string[] {
  const accepted = readSnapshot(folder);
  const problems = refusals(accepted, today);
  if (problems.length > 0)
    throw new Error(
      `These changes of schemas are refused:\n${problems.map((problem) => `  ${problem}`).join('\n')}\n` +
        'Published events: add a field with a default, or a new type of event. Stored events: add a schema version to `stored` of the context\n' +
        'and an upcaster to the aggregate that makes it of the version before.',
    );
  const changed = notAccepted(accepted, today);
  for (const name of changed) {
    const file = path.join(folder, `${name}.json`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(today[name]?.reads, null, 2)}\n`);
  }
  return changed;
}
