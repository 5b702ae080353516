/** The event store → the events that a projector takes, batch by batch; as if each were published again. */
import type pg from 'pg';
import type { Aggregate, DomainEvent } from '../../../functions/runtime/aggregate.ts';
import type { ProjectorDefinition, ReadEvent } from '../../../functions/runtime/handling/projection.ts';
import { publishedData, upcast, type WrittenEvent } from '../../../functions/runtime/store/schema-versions.ts';
import { aggregatesBehind } from './read-model.ts';
import type { Replayed, Source } from './replayed.ts';

const EVENTS_A_QUERY = 4_000;
const AGGREGATES_A_QUERY = 500;

type StoredRow = WrittenEvent & { readonly id: string; readonly eventId: string };

/** Events in the order of aggregate and version → events as they are published; `end` gives what the last aggregate leaves. */
function publisher<State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  { consumes, applied, key }: ProjectorDefinition,
) {
  // With the aggregate's id as its key, a table of newest rows shows an aggregate's newest event alone.
  const newestOnly = applied === undefined && key.length === 1 && key[0] === `${aggregate.name}_id`;
  const wanted = new Set(consumes);
  let id: string | undefined;
  let state = aggregate.initial;
  let newest: (() => ReadEvent) | undefined;

  const end = (): ReadEvent[] => {
    const made = newest ? [newest()] : [];
    newest = undefined;
    return made;
  };
  const takeOne = (stored: StoredRow): ReadEvent[] => {
    const before = stored.id === id ? [] : end();
    const event = upcast(aggregate, stored.id, stored);
    const after = aggregate.evolve(stored.id === id ? state : aggregate.initial, event);
    id = stored.id;
    state = after;
    if (!wanted.has(stored.type)) return before;
    const data = () => publishedData(aggregate, event, after, stored.version);
    const publish = (): ReadEvent => ({ id: stored.eventId, type: stored.type, data: data() });
    if (!newestOnly) return [...before, publish()];
    newest = publish;
    return before;
  };
  return { take: (events: readonly StoredRow[]) => events.flatMap(takeOne), end };
}

const columnsOf = (name: string): string =>
  `${name}_id as id, version, event_id as "eventId", type, schema_version as "schemaVersion", data`;

async function* readAll(database: pg.Pool, name: string): AsyncGenerator<StoredRow[]> {
  const text = `select ${columnsOf(name)} from ${name}_events where (${name}_id, version) > ($1, $2)
    order by ${name}_id, version limit ${EVENTS_A_QUERY}`;
  const after = async (id: string, version: number): Promise<StoredRow[]> =>
    (await database.query<StoredRow>({ name: `replay-${name}`, text, values: [id, version] })).rows;
  let next: Promise<StoredRow[]> | undefined = after('00000000-0000-0000-0000-000000000000', 0);
  while (next) {
    const batch: StoredRow[] = await next;
    const last = batch.at(-1);
    // The next events are on their way while these are made into rows.
    next = last && batch.length === EVENTS_A_QUERY ? after(last.id, last.version) : undefined;
    next?.catch(() => undefined);
    yield batch;
  }
}

async function* readSome(database: pg.Pool, name: string, ids: readonly string[]): AsyncGenerator<StoredRow[]> {
  const text = `select ${columnsOf(name)} from ${name}_events where ${name}_id = any($1) order by ${name}_id, version`;
  for (let from = 0; from < ids.length; from += AGGREGATES_A_QUERY)
    yield (await database.query<StoredRow>({ text, values: [ids.slice(from, from + AGGREGATES_A_QUERY)] })).rows;
}

/** The events of an aggregate in table `<name>_events`. */
export function storeSource<State, Event extends DomainEvent>(
  database: pg.Pool,
  aggregate: Aggregate<State, Event>,
  projector: ProjectorDefinition,
): Source {
  const { name } = aggregate;
  async function* replay(batches: AsyncIterable<StoredRow[]>): AsyncGenerator<Replayed> {
    const { take, end } = publisher(aggregate, projector);
    for await (const stored of batches) yield { events: take(stored), read: stored.length };
    yield { events: end(), read: 0 };
  }
  return {
    place: `${name}_events`,
    unchecked: false,
    async count() {
      const { rows } = await database.query<{ count: number }>(`select count(*)::int as count from ${name}_events`);
      return rows[0]?.count ?? 0;
    },
    all: () => replay(readAll(database, name)),
    async missing(by) {
      const ids = await aggregatesBehind(by, projector, name);
      return {
        what: `${name}s`,
        count: ids.length,
        read: () => replay(readSome(database, name, ids)),
        written: () => undefined,
      };
    },
  };
}
