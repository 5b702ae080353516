/** Aggregates for the console: the newest streams of one kind, and one of them with every state it was in. */
import type { Aggregate, DomainEvent } from '../../../functions/runtime/aggregate.ts';
import { notFound } from '../../../functions/runtime/errors.ts';
import { readHistory, type StoredEvent } from '../../../functions/runtime/history.ts';
import { type Database, databaseError } from '../../../functions/runtime/postgres.ts';
import type { AggregateLine, AggregatePage, AggregateVersion } from './wire.ts';

/** An aggregate of any context, by the name that the console shows it under. */
export type NamedAggregate = { readonly name: string; readonly aggregate: Aggregate<unknown, DomainEvent> };

const MOST_STREAMS = 50;
const MOST_VERSIONS = 1_000;

/** Throws `not-found` for a name that none has. */
export function aggregateOf(aggregates: readonly NamedAggregate[], name: string): NamedAggregate['aggregate'] {
  const found = aggregates.find((one) => one.name === name);
  if (found) return found.aggregate;
  const names = aggregates.map((one) => one.name).join(', ');
  throw notFound('no-such-aggregate', `There is no aggregate '${name}'; there are ${names}`);
}

/** The streams with the newest events. Reads the whole table of events: meant for the data of one machine. */
export async function newestStreams(
  database: Database,
  { name }: Pick<Aggregate<unknown, DomainEvent>, 'name'>,
): Promise<{ streams: AggregateLine[]; more: boolean }> {
  const text = `with newest as (
      select ${name}_id as id, max(version) as version, min(occurred_at) as began, max(occurred_at) as changed
      from ${name}_events group by ${name}_id order by changed desc, id limit $1)
    select newest.*, type, actor from newest join ${name}_events e on ${name}_id = id and e.version = newest.version
    order by changed desc, id`;
  type Row = Omit<AggregateLine, 'began' | 'changed'> & { readonly began: Date; readonly changed: Date };
  try {
    const { rows } = await database.query<Row>({ text, values: [MOST_STREAMS + 1] });
    const streams = rows
      .slice(0, MOST_STREAMS)
      .map((row) => ({ ...row, began: row.began.toISOString(), changed: row.changed.toISOString() }));
    return { streams, more: rows.length > MOST_STREAMS };
  } catch (error) {
    throw databaseError(error);
  }
}

/** Pure. Events, oldest first from version 1 → each with the public form of the state after it. */
export function versionsOf<State, Event extends DomainEvent>(
  aggregate: Pick<Aggregate<State, Event>, 'initial' | 'evolve' | 'publish'>,
  events: readonly StoredEvent<Event>[],
): AggregateVersion[] {
  let state = aggregate.initial;
  return events.map(({ version, event, at, actor, command, traceId }) => {
    state = aggregate.evolve(state, event);
    const published = aggregate.publish(state, version) as AggregateVersion['state'];
    return { version, type: event.type, at, actor, command, traceId, data: event.data, state: published };
  });
}

export async function readVersions(
  database: Database,
  aggregate: NamedAggregate['aggregate'],
  id: string,
): Promise<Pick<AggregatePage, 'id' | 'versions' | 'more'>> {
  const events = await readHistory(database, aggregate, id, { most: MOST_VERSIONS + 1 });
  if (events.length === 0)
    throw notFound('no-such-stream', `${aggregate.name}_events has no events of ${id}; the list shows which there are`);
  return { id, versions: versionsOf(aggregate, events.slice(0, MOST_VERSIONS)), more: events.length > MOST_VERSIONS };
}
