/** What a command led to → the rows that tell of it in Postgres: its record, its events, their messages, a snapshot. Pure. */

import type { Aggregate, DomainEvent, Write } from '../aggregate.ts';
import { newId } from '../ids.ts';
import { subjectOf, toHeaders } from '../messages/message.ts';
import type { OutboxMessage } from '../outbox.ts';
import type { Trace } from '../trace.ts';
import type { Refusal } from './refusal.ts';
import { publishedData, schemaVersionOf } from './schema-versions.ts';

export type Append<Event> = {
  readonly aggregateId: string;
  readonly expectedVersion: number;
  /** Version of the snapshot that the state was made from; 0 without one. */
  readonly snapshotVersion: number;
  readonly command: {
    readonly id: string;
    readonly type: string;
    readonly fingerprint: string;
    readonly actor: string;
  };
  readonly refusal?: Refusal;
  readonly events: readonly Event[];
  /** The same statements at each append of a process: they are prepared once. */
  readonly writes?: readonly Write[] | undefined;
  readonly now: string;
  readonly trace: Trace;
  readonly correlationId: string;
};

type Rows = {
  readonly record: object;
  readonly events: readonly object[];
  readonly messages: readonly OutboxMessage[];
  /** One, or none. */
  readonly snapshots: readonly object[];
};

const recordOf = ({ command, aggregateId, expectedVersion, events, refusal = undefined }: Append<unknown>) => ({
  command_id: command.id,
  type: command.type,
  fingerprint: command.fingerprint,
  aggregate_id: aggregateId,
  version: expectedVersion + events.length,
  refusal,
});

function snapshotsOf<State, Event extends DomainEvent>(
  { name, schemaVersion, snapshotEvery }: Aggregate<State, Event>,
  state: State,
  { aggregateId, expectedVersion, events, snapshotVersion }: Append<Event>,
): object[] {
  const version = expectedVersion + events.length;
  return version - snapshotVersion < snapshotEvery
    ? []
    : [{ [`${name}_id`]: aggregateId, version, schema_version: schemaVersion, state }];
}

/** The rows of an append to an aggregate in `state`. */
export function rowsOf<State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  state: State,
  append: Append<Event>,
): Rows {
  const { aggregateId, command, trace, correlationId, now } = append;
  let current = state;
  const both = append.events.map((event, index) => {
    current = aggregate.evolve(current, event);
    const version = append.expectedVersion + index + 1;
    const id = newId(Date.parse(now));
    const { type, data } = event;
    const schemaVersion = schemaVersionOf(aggregate, type);
    const about = { version, event_id: id, type, schema_version: schemaVersion, data, occurred_at: now };
    const by = { command_id: command.id, actor: command.actor, trace_id: trace.traceId, correlation_id: correlationId };
    const { traceparent } = trace;
    const message: OutboxMessage = {
      event_id: id,
      subject: subjectOf(type, aggregateId),
      headers: toHeaders({ id, type, schemaVersion, subject: aggregateId, time: now, traceparent, correlationId }),
      data: publishedData(aggregate, event, current, version),
    };
    return { row: { [`${aggregate.name}_id`]: aggregateId, ...about, ...by }, message };
  });
  return {
    record: recordOf(append),
    events: both.map(({ row }) => row),
    messages: both.map(({ message }) => message),
    snapshots: snapshotsOf(aggregate, current, append),
  };
}
