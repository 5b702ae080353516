/** What every aggregate in an event store has come to, by a fold of its own: the measure of read models. */
import type pg from 'pg';
import type { Aggregate, DomainEvent } from '../../functions/runtime/aggregate.ts';
import type { ReadEvent } from '../../functions/runtime/handling/projection.ts';
import { publishedData, upcast, type WrittenEvent } from '../../functions/runtime/store/schema-versions.ts';

/** An event as it is published, with the aggregate that it is of, and the public form of it at that time. */
export type Folded = ReadEvent & { readonly aggregateId: string; readonly after: object };

/** Every event in the store, an aggregate's one after the other. */
export async function foldAll<State, Event extends DomainEvent>(
  database: pg.Pool,
  aggregate: Aggregate<State, Event>,
): Promise<Folded[]> {
  const { name } = aggregate;
  const { rows } = await database.query<WrittenEvent & { id: string; event_id: string }>(
    `select ${name}_id as id, version, event_id, type, schema_version as "schemaVersion", data
     from ${name}_events order by ${name}_id, version`,
  );
  let state = aggregate.initial;
  return rows.map((row) => {
    const event = upcast(aggregate, row.id, row);
    state = aggregate.evolve(row.version === 1 ? aggregate.initial : state, event);
    const after = aggregate.publish(state, row.version);
    const data = publishedData(aggregate, event, state, row.version);
    return { id: row.event_id, type: row.type, data, aggregateId: row.id, after };
  });
}
