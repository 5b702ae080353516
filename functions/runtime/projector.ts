/** Builder of projectors: events → rows of one table, a batch in one statement; the newer version wins. */
import { type EventOf, type ProjectorDefinition, projection, type Schemas } from './handling/projection.ts';
import type { Queries } from './postgres.ts';

/** A row of the table, by column; `version` says which of two rows is newer. */
export type Row = Readonly<Record<string, unknown>> & { readonly version: number };

type ProjectorSpec<Accepts extends Schemas> = {
  readonly stream: string;
  readonly accepts: Accepts;
  readonly table: string;
  /** The columns of the table's primary key. With `version` among them, each event has a row of its own. */
  readonly key: readonly string[];
  /** Pure. An event → the row as it stands after it. */
  row(event: EventOf<Accepts>): Row;
};

/** The newest row a key, as one statement may not touch a row twice; in one order, so that two never wait in a ring. */
function newestRows(rows: readonly Row[], key: readonly string[]): Row[] {
  const newest = new Map<string, Row>();
  for (const row of rows) {
    const id = JSON.stringify(key.map((column) => row[column]));
    const seen = newest.get(id);
    if (!seen || seen.version < row.version) newest.set(id, row);
  }
  return [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

/** Writes rows in one statement; an older row never takes the place of a newer one. */
async function upsert(database: Queries, table: string, key: readonly string[], all: readonly Row[]): Promise<void> {
  const rows = newestRows(all, key);
  const columns = Object.keys(rows[0] ?? {}).map((column) => `"${column}"`);
  const updates = columns.map((column) => `${column} = excluded.${column}`).join(', ');
  const text = `insert into ${table} (${columns.join(', ')})
    select ${columns.join(', ')} from json_populate_recordset(null::${table}, $1)
    on conflict (${key.join(', ')}) do update set ${updates} where ${table}.version < excluded.version`;
  await database.query({ name: `project-${table}`, text, values: [JSON.stringify(rows)] });
}

export const projector = <const Accepts extends Schemas>({
  row,
  ...spec
}: ProjectorSpec<Accepts>): ProjectorDefinition =>
  projection({
    ...spec,
    write: (database, events, suffix) => upsert(database, spec.table + suffix, spec.key, events.map(row)),
  });
