/** The event store → the rows that a projector makes of it, batch by batch; as if every event were published again. */
import type pg from 'pg';
import { ORDERS } from '../../../functions/orders/events.ts';
import { orders } from '../../../functions/orders/order.ts';
import type { Aggregate, DomainEvent } from '../../../functions/runtime/aggregate.ts';
import type { ProjectorDefinition, Row } from '../../../functions/runtime/projector.ts';
import { publishedData, upcast, type WrittenEvent } from '../../../functions/runtime/store/schema-versions.ts';

const EVENTS_A_QUERY = 4_000;
const AGGREGATES_A_QUERY = 500;

/** Where the events of a stream are kept: table `<name>_events`, keyed by `<name>_id` and version. */
type Source = {
  readonly name: string;
  /** Events in the order of aggregate and version → rows; `end` gives what the last aggregate leaves. */
  rows(projector: ProjectorDefinition): RowMaker;
};

type StoredRow = WrittenEvent & { readonly id: string };
type RowMaker = { take(events: readonly StoredRow[]): Row[]; end(): Row[] };

/** What was made of a number of events. */
export type Replayed = { readonly rows: readonly Row[]; readonly events: number };

/** With the aggregate's id as its key, a table shows the newest event alone; else every event may have its row. */
const rowMaker =
  <State, Event extends DomainEvent>(aggregate: Aggregate<State, Event>) =>
  (projector: ProjectorDefinition): RowMaker => {
    const newestOnly = projector.key.length === 1 && projector.key[0] === `${aggregate.name}_id`;
    const wanted = new Set(projector.consumes);
    let id: string | undefined;
    let state = aggregate.initial;
    let made: (() => Row)[] = [];

    const end = (): Row[] => {
      const rows = made.map((make) => make());
      made = [];
      return rows;
    };
    const takeOne = (stored: StoredRow): Row[] => {
      const before = stored.id === id ? [] : end();
      const event = upcast(aggregate, stored.id, stored);
      const after = aggregate.evolve(stored.id === id ? state : aggregate.initial, event);
      id = stored.id;
      state = after;
      if (!wanted.has(stored.type)) return before;
      const make = () => projector.rowOf(stored.type, publishedData(aggregate, event, after, stored.version));
      made = newestOnly ? [make] : [...made, make];
      return before;
    };
    return { take: (events) => events.flatMap(takeOne), end };
  };

/** Stream → the aggregate whose events it carries. */
const SOURCES: Readonly<Record<string, Source>> = {
  [ORDERS]: { name: orders.name, rows: rowMaker(orders) },
};

/** Where the events of a projector's stream are kept; throws when they are kept nowhere. */
export function sourceOf({ stream }: ProjectorDefinition): Source {
  const source = SOURCES[stream];
  if (source) return source;
  throw new Error(
    `No event store keeps the events of stream ${stream}; there is one for ${Object.keys(SOURCES).join(', ')}`,
  );
}

const columnsOf = (name: string): string => `${name}_id as id, version, type, schema_version as "schemaVersion", data`;

async function* readAll(database: pg.Pool, { name }: Source): AsyncGenerator<StoredRow[]> {
  const text = `select ${columnsOf(name)} from ${name}_events where (${name}_id, version) > ($1, $2)
    order by ${name}_id, version limit ${EVENTS_A_QUERY}`;
  const after = async (id: string, version: number): Promise<StoredRow[]> =>
    (await database.query<StoredRow>({ name: 'replay', text, values: [id, version] })).rows;
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

async function* readSome(database: pg.Pool, { name }: Source, ids: readonly string[]): AsyncGenerator<StoredRow[]> {
  const text = `select ${columnsOf(name)} from ${name}_events where ${name}_id = any($1) order by ${name}_id, version`;
  for (let from = 0; from < ids.length; from += AGGREGATES_A_QUERY)
    yield (await database.query<StoredRow>({ text, values: [ids.slice(from, from + AGGREGATES_A_QUERY)] })).rows;
}

/** Rows of all aggregates, or of those named. */
export async function* replay(
  database: pg.Pool,
  projector: ProjectorDefinition,
  ids?: readonly string[],
): AsyncGenerator<Replayed> {
  const source = sourceOf(projector);
  const maker = source.rows(projector);
  for await (const events of ids ? readSome(database, source, ids) : readAll(database, source))
    yield { rows: maker.take(events), events: events.length };
  yield { rows: maker.end(), events: 0 };
}
