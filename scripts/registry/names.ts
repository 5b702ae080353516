/** Contexts and functions → the names that belong to them, and where a text holds one: the framework knows none of them. Pure. */
import type { DefinedContext } from './contexts.ts';
import type { DefinedFunction } from './functions.ts';

export type Names = {
  /** Found wherever they stand: `create-parcel`, `parcel.sent`, `PARCELS`, `parcelId`, `PARCEL_SIZE`. */
  readonly words: readonly string[];
  /** Words of every day, found where they are quoted: `parcels`. */
  readonly quoted: readonly string[];
  /** Folders of functions/. */
  readonly contexts: readonly string[];
};

type Context = Pick<DefinedContext, 'name' | 'stream' | 'events' | 'aggregates' | 'tables'>;
type Fn = Pick<DefinedFunction, 'name' | 'context' | 'kind' | 'consumes' | 'publishes' | 'schedules' | 'settings'>;

/** Of whoever is signed in: the framework's word too. */
const CALLER_ID = 'userId';

/** A relay is part of the framework, and so is a context that has nothing else. */
const isFramework = ({ name, stream }: Context, functions: readonly Fn[]): boolean => {
  const own = functions.filter(({ context }) => context === name);
  return !stream && own.length > 0 && own.every(({ kind }) => kind === 'relay');
};

const camelCase = (name: string): string => name.replace(/[-_](\w)/g, (_, letter: string) => letter.toUpperCase());

/** The field of an aggregate's id, as in JSON and as in SQL. */
const idOf = (aggregate: string): string[] => [camelCase(`${aggregate}-id`), `${aggregate.replaceAll('-', '_')}_id`];

const idFields = (schema: object): string[] => {
  const shape = '_zod' in schema ? (schema as { _zod: { def: { shape?: object } } })._zod.def.shape : undefined;
  return Object.keys(shape ?? {}).filter((key) => key.endsWith('Id') && key !== CALLER_ID);
};

/** `frameworkSettings` are those that the runtime itself declares. */
export function namesOf(
  contexts: readonly Context[],
  functions: readonly Fn[],
  frameworkSettings: ReadonlySet<string>,
): Names {
  const owned = contexts.filter((context) => !isFramework(context, functions));
  const own = functions.filter(({ context }) => owned.some(({ name }) => name === context));
  const aggregates = owned.flatMap((context) => (context.aggregates ?? []).map(({ aggregate }) => aggregate.name));
  const names = [
    ...owned.flatMap(({ name, stream, events = {}, tables = {} }) => [
      // A context without events, such as the edge, has a name that says nothing by itself.
      ...(stream ? [name, stream.name] : []),
      ...Object.keys(events),
      ...Object.values(events).flatMap(idFields),
      ...Object.keys(tables).filter((table) => table.includes('_')),
    ]),
    ...own.flatMap(({ name, consumes, publishes, schedules, settings }) => [
      name,
      ...consumes,
      ...publishes,
      ...schedules,
      ...Object.keys(settings).filter((setting) => !frameworkSettings.has(setting)),
    ]),
    ...aggregates,
    ...aggregates.flatMap(idOf),
  ];
  const isEveryDay = (name: string): boolean => /^[a-z]+$/.test(name);
  const unique = [...new Set(names)].sort();
  return {
    words: unique.filter((name) => !isEveryDay(name)),
    quoted: unique.filter(isEveryDay),
    contexts: owned.map(({ name }) => name),
  };
}

const oneOf = (names: readonly string[]): string =>
  names.length > 0 ? names.map((name) => name.replaceAll('.', '\\.')).join('|') : '(?!)';

/** The names that a text holds, each with its line: `12: create-parcel`. */
export function namesIn(text: string, { words, quoted, contexts }: Names): string[] {
  const patterns = [
    `(?<![\\w-])(?:${oneOf(words)})(?!\\w)`,
    `(?<=(['"\`]))(?:${oneOf(quoted)})(?=\\1)`,
    `(?<=\\bfunctions/)(?:${oneOf(contexts)})\\b`,
    // Imports from a file that is in functions/ itself.
    `(?<=from '(?:\\.\\./)+)(?:${oneOf(contexts)})(?=/)`,
  ];
  const pattern = new RegExp(patterns.join('|'), 'g');
  return text.split('\n').flatMap((line, at) => [...line.matchAll(pattern)].map(([name]) => `${at + 1}: ${name}`));
}
