/** Builder of projectors: events → rows of one table, a batch in one statement; the newer version wins. */
import type * as z from 'zod/mini';
import { invalid } from './errors.ts';
import type { Definition } from './function.ts';
import { consume } from './handling/consume.ts';
import { pushHandler } from './handling/push.ts';
import { type NatsSettings, natsSettings, openBus } from './jetstream/connection.ts';
import type { Incoming } from './messages/message.ts';
import { type DatabaseSettings, databaseError, databaseSettings, openDatabase, type Queries } from './postgres.ts';
import { validate } from './schema.ts';

/** A row of the table, by column; `version` says which of two rows is newer. */
export type Row = Readonly<Record<string, unknown>> & { readonly version: number };

/** Event type → schema of its data. */
type Schemas = Readonly<Record<string, z.ZodMiniType>>;

type EventOf<Accepts extends Schemas> = {
  [Type in keyof Accepts]: { readonly type: Type; readonly data: z.infer<Accepts[Type]> };
}[keyof Accepts];

type ProjectorSpec<Accepts extends Schemas> = {
  readonly stream: string;
  readonly accepts: Accepts;
  readonly table: string;
  /** The columns of the table's primary key. With `version` among them, each event has a row of its own. */
  readonly key: readonly string[];
  /** Pure. An event → the row as it stands after it. */
  row(event: EventOf<Accepts>): Row;
};

type ProjectorSettings = NatsSettings & DatabaseSettings;

/** A projector, with what it takes to build its table anew. */
export type ProjectorDefinition = Definition<ProjectorSettings> &
  Pick<ProjectorSpec<Schemas>, 'stream' | 'table' | 'key'> & {
    readonly kind: 'projector';
    /** Pure. The row that an event makes; throws `invalid` when its data is not as the schema promises. */
    rowOf(type: string, data: unknown): Row;
  };

const IN_FLIGHT = 384;
export const BATCH = 192;

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
export async function upsert(
  database: Queries,
  { table, key }: Pick<ProjectorDefinition, 'table' | 'key'>,
  all: readonly Row[],
): Promise<void> {
  const rows = newestRows(all, key);
  const columns = Object.keys(rows[0] ?? {}).map((column) => `"${column}"`);
  const updates = columns.map((column) => `${column} = excluded.${column}`).join(', ');
  const text = `insert into ${table} (${columns.join(', ')})
    select ${columns.join(', ')} from json_populate_recordset(null::${table}, $1)
    on conflict (${key.join(', ')}) do update set ${updates} where ${table}.version < excluded.version`;
  try {
    await database.query({ name: `project-${table}`, text, values: [JSON.stringify(rows)] });
  } catch (error) {
    throw databaseError(error);
  }
}

export function projector<const Accepts extends Schemas>(spec: ProjectorSpec<Accepts>): ProjectorDefinition {
  const { stream, table, key } = spec;
  const rowOf = (type: string, data: unknown): Row => {
    const schema = spec.accepts[type];
    if (!schema) throw invalid('wrong-type', `This projector has no use for '${type}'`);
    const valid = validate(schema, data, `The event ${type}`, 'invalid-event');
    return spec.row({ type, data: valid } as EventOf<Accepts>);
  };
  const types = Object.keys(spec.accepts);
  return {
    kind: 'projector',
    settings: { ...natsSettings, ...databaseSettings },
    consumes: types,
    publishes: [],
    schedules: [],
    inFlight: IN_FLIGHT,
    stream,
    table,
    key,
    rowOf,
    async start(shell) {
      const bus = await openBus(shell);
      const database = openDatabase(shell);
      const handle = (batch: readonly Incoming[]) =>
        upsert(
          database,
          spec,
          batch.map(({ type, data }) => rowOf(type, data)),
        );
      const options = { stream, consumer: shell.name, types, inFlight: IN_FLIGHT, batch: BATCH, concurrency: 1 };
      return {
        ...consume(shell, bus, options, async (batch) => handle(batch)),
        http: pushHandler(shell.log, async (batch) => handle(batch)),
      };
    },
  };
}
