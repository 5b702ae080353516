/** functions/<context>/corpus/<name>.json: histories of aggregates as they were stored, with what they came to; today's code must read them. */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type pg from 'pg';
import { type Aggregate, type DomainEvent, fold } from '../../functions/runtime/aggregate.ts';
import type { DeclaredAggregate } from '../../functions/runtime/context.ts';
import { upcast, type WrittenEvent } from '../../functions/runtime/store/schema-versions.ts';
import type { DefinedContext } from './contexts.ts';
import { repository } from './repository.ts';

type Outcome = {
  /** As it is published. */
  readonly after: object;
  readonly snapshot: { readonly schemaVersion: number; readonly state: unknown };
};

export type History = Outcome & {
  readonly name: string;
  readonly context: DefinedContext;
  readonly declared: DeclaredAggregate;
  readonly events: readonly WrittenEvent[];
};

const folderOf = ({ name }: DefinedContext): string => path.join('functions', name, 'corpus');

/** What events of the store come to. */
export function outcomeOf(aggregate: Aggregate<unknown, DomainEvent>, events: readonly WrittenEvent[]): Outcome {
  const state = fold(
    aggregate,
    events.map((event) => upcast(aggregate, 'of the corpus', event)),
  );
  return {
    after: aggregate.publish(state, events.length),
    snapshot: { schemaVersion: aggregate.schemaVersion, state },
  };
}

/** The histories of a context's aggregates; throws when it has none of one. */
export function readCorpus(context: DefinedContext, root = repository): History[] {
  const files = globSync(path.join(folderOf(context), '*.json'), { cwd: root }).sort();
  const all = files.map((file) => ({
    name: path.basename(file, '.json'),
    ...JSON.parse(readFileSync(path.join(root, file), 'utf8')),
  }));
  return (context.aggregates ?? []).flatMap((declared) => {
    const of = declared.aggregate.name;
    const own = all.filter(({ events }) => events[0]?.type.startsWith(`${of}.`));
    if (own.length > 0)
      return own.map(({ name, events, snapshot, [of]: after }) => ({
        name,
        context,
        declared,
        events,
        snapshot,
        after,
      }));
    throw new Error(
      `${folderOf(context)} has no history of ${of}: npm start, make one with each of its events, and keep it by ` +
        `npm run corpus -- ${of} <its id> <name of the file>`,
    );
  });
}

/** Writes down an aggregate of the database; gives the path of the file. Throws when it has no events, or the file is there. */
export async function keepHistory(
  database: Pick<pg.Pool, 'query'>,
  context: DefinedContext,
  { aggregate }: DeclaredAggregate,
  id: string,
  name: string,
  root = repository,
): Promise<string> {
  const of = aggregate.name;
  const { rows: events } = await database.query<WrittenEvent>(
    `select version, type, schema_version as "schemaVersion", data from ${of}_events where ${of}_id::text = $1 order by version`,
    [id],
  );
  if (events.length === 0) throw new Error(`${of}_events has no ${of} ${id}: take the id of one that it has`);
  const file = path.join(folderOf(context), `${name}.json`);
  if (existsSync(path.join(root, file)))
    throw new Error(`${file} is there already, and stays as it is: take another name`);
  const { after, snapshot } = outcomeOf(aggregate, events);
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  const history = { about: `${name.replaceAll('-', ' ')}.`, events, [of]: after, snapshot };
  writeFileSync(path.join(root, file), `${JSON.stringify(history, null, 2)}\n`);
  return file;
}
