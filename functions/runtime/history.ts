/** The past of one aggregate: the events that the store has of it, as they happened. */

import type { Aggregate, DomainEvent } from './aggregate.ts';
import { type Database, databaseError } from './postgres.ts';
import { upcast, type WrittenEvent } from './store/schema-versions.ts';

/** An event as the store keeps it: with when it happened (RFC 3339 in UTC), who wanted it, by which command and trace. */
export type StoredEvent<Event extends DomainEvent> = {
  readonly version: number;
  readonly event: Event;
  readonly at: string;
  readonly actor: string;
  readonly commandId: string;
  /** Type of the command; null when it is not on record. */
  readonly command: string | null;
  /** Id of the command that began the chain; null for events from before it was kept. */
  readonly correlationId: string | null;
  readonly traceId: string;
};

type EventRow = WrittenEvent & {
  readonly occurred_at: Date;
  readonly actor: string;
  readonly command_id: string;
  readonly command: string | null;
  readonly correlation_id: string | null;
  readonly trace_id: string;
};

const fromRow = <State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  aggregateId: string,
  row: EventRow,
): StoredEvent<Event> => ({
  version: row.version,
  event: upcast(aggregate, aggregateId, row),
  at: row.occurred_at.toISOString(),
  actor: row.actor,
  commandId: row.command_id,
  command: row.command,
  correlationId: row.correlation_id,
  traceId: row.trace_id,
});

/** The versions that are wanted: those above `after`, `most` at most; all of them unless told. */
export type Stretch = { readonly after?: number | undefined; readonly most?: number | undefined };

/**
 * Events of an aggregate in today's schema version, oldest first; none when there is no such aggregate. Throws
 * `unavailable` when an event is stored in a schema version that only newer code knows.
 */
export async function readHistory<State, Event extends DomainEvent>(
  database: Database,
  aggregate: Aggregate<State, Event>,
  aggregateId: string,
  { after = 0, most }: Stretch = {},
): Promise<StoredEvent<Event>[]> {
  const { name } = aggregate;
  const text = `select e.version, e.type, schema_version as "schemaVersion", data, occurred_at, actor, command_id,
      commands.type as command, correlation_id, trace_id
    from ${name}_events e left join commands using (command_id) where ${name}_id = $1 and e.version > $2
    order by e.version limit $3`;
  try {
    const { rows } = await database.query<EventRow>({
      name: `history-${name}`,
      text,
      values: [aggregateId, after, most],
    });
    return rows.map((row) => fromRow(aggregate, aggregateId, row));
  } catch (error) {
    throw databaseError(error);
  }
}
