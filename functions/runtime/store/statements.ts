/** SQL of the event store: how commands load an aggregate, and append to it. Pure. */

import type { Read, Write } from '../aggregate.ts';
import { insertOutbox } from '../outbox.ts';

type Stored = { readonly name: string; readonly schemaVersion: number };

/** The highest of Postgres's integers. */
const MOST_VERSIONS = 2_147_483_647;

const columnsOf = (name: string): string =>
  `${name}_id, version, event_id, type, schema_version, data, command_id, actor, trace_id, correlation_id, occurred_at`;

/** One row a question: the newest snapshot that is of use, the events since, the command's record, what is read. */
export const loadStatement = ({ name, schemaVersion }: Stored, read: Read | undefined) => ({
  name: `load-${name}`,
  // Each `limit 1` keeps the planner at the key, one by one, whatever it takes the sizes of the tables for.
  text: `select
      row_to_json(snapshot) as snapshot,
      (select coalesce(json_agg(json_build_object(
         'version', version, 'type', type, 'schemaVersion', schema_version, 'data', data) order by version), '[]')
       from ${name}_events where ${name}_id = asked.aggregate_id
         and version > coalesce(snapshot.version, 0) and version <= coalesce(record.version, ${MOST_VERSIONS})) as events,
      row_to_json(record) as record,
      (${read ? read.sql.replaceAll('$input', 'asked.input') : 'null::json'}) as reads
    from json_to_recordset($1) as asked (ordinal integer, aggregate_id uuid, command_id uuid, input json)
    left join lateral (select * from commands where command_id = asked.command_id limit 1) record on true
    left join lateral (
      select version, state from ${name}_snapshots where ${name}_id = asked.aggregate_id
        and schema_version = ${schemaVersion} and version <= coalesce(record.version, ${MOST_VERSIONS}) limit 1
    ) snapshot on true
    order by ordinal`,
});

/** Records, events, outbox rows, snapshots, and the rows of each write: $1, $2 and so on, as JSON arrays. */
export const appendStatement = ({ name }: Stored, writes: readonly Write[]) => ({
  name: `append-${name}-${writes.length}`,
  text: `with record as (
      insert into commands (command_id, type, fingerprint, aggregate_id, version, refusal)
      select command_id, type, fingerprint, aggregate_id, version, refusal
      from json_populate_recordset(null::commands, $1) order by command_id
    ), stored as (
      insert into ${name}_events (${columnsOf(name)})
      select ${columnsOf(name)} from json_populate_recordset(null::${name}_events, $2) order by ${name}_id, version
    ), queued as (
      ${insertOutbox('$3')}
    ), kept as (
      insert into ${name}_snapshots as before (${name}_id, version, schema_version, state)
      select ${name}_id, version, schema_version, state from json_populate_recordset(null::${name}_snapshots, $4) order by ${name}_id
      on conflict (${name}_id) do update set version = excluded.version, schema_version = excluded.schema_version, state = excluded.state
      where excluded.version > before.version
    )${writes.map(({ sql }, index) => `, written_${index} as (${sql.replaceAll('$rows', `$${index + 5}::json`)})`).join('')}
    select 1`,
});
