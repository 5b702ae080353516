/** Events of aggregates in Postgres: load and append, each in one round trip; the append is one transaction. */
import { AppError } from './errors.ts';
import { newId } from './ids.ts';
import { subjectOf, toHeaders } from './message.ts';
import { insertOutbox, type OutboxMessage } from './outbox.ts';
import { type Database, databaseError, isConflict } from './postgres.ts';
import { formOf, publishedData, raise, type StoredForms, type WrittenEvent } from './stored-forms.ts';
import type { Trace } from './trace.ts';

export type DomainEvent = { readonly type: string; readonly data: object };

/** How events make a state. Its events live in table `<name>_events`, keyed by `<name>_id` and version. */
export type Aggregate<State, Event extends DomainEvent> = {
  readonly name: string;
  readonly initial: State;
  /** Every type of event, with what raises its older stored forms to the newest. */
  readonly stored: StoredForms<Event>;
  evolve(state: State, event: Event): State;
  /** The public form of a state at a version: what events carry and answers show. */
  publish(state: State, version: number): object;
};

/** The state that events make, from `initial` or from the state before them. */
export const fold = <State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  events: readonly Event[],
  before: State = aggregate.initial,
): State => events.reduce((state, event) => aggregate.evolve(state, event), before);

/** Why a command was refused, as it is kept. */
export type Refusal = Pick<AppError, 'code' | 'slug' | 'message' | 'fields'>;

export const fromRefusal = ({ code, slug, message, fields }: Refusal): AppError =>
  new AppError(code, slug, message, { fields });

/** A command that was answered before: where it led to, or why it was refused. */
export type CommandRecord = {
  readonly fingerprint: string;
  readonly version: number;
  readonly refusal: Refusal | null;
};

type Loaded<Event, Reads> = {
  readonly events: readonly Event[];
  readonly record: CommandRecord | null;
  readonly reads: Reads;
};

/** One more statement in the transaction of an append; `$rows` in its SQL stands for the rows as a JSON array. */
export type Write = { readonly sql: string; readonly rows: readonly object[] };

/** A query that a decision needs; `$input` in its SQL stands for the input as JSON. It gives one JSON value. */
export type Read = { readonly sql: string; readonly input: unknown };

type Append<Event> = {
  readonly aggregateId: string;
  readonly expectedVersion: number;
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

const toRows = <State, Event extends DomainEvent>(aggregate: Aggregate<State, Event>, append: Append<Event>) =>
  append.events.map((event, index) => ({
    [`${aggregate.name}_id`]: append.aggregateId,
    version: append.expectedVersion + index + 1,
    event_id: newId(Date.parse(append.now)),
    type: event.type,
    schema_version: formOf(aggregate, event.type),
    data: event.data,
    command_id: append.command.id,
    actor: append.command.actor,
    trace_id: append.trace.traceId,
    correlation_id: append.correlationId,
    occurred_at: append.now,
  }));

function toMessages<State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  state: State,
  append: Append<Event>,
  rows: ReturnType<typeof toRows<State, Event>>,
): OutboxMessage[] {
  let current = state;
  return append.events.map((event, index) => {
    const row = rows[index];
    if (!row) throw new Error('an event without a row');
    current = aggregate.evolve(current, event);
    const { correlationId } = append;
    const { traceparent } = append.trace;
    const about = { id: row.event_id, type: event.type, form: row.schema_version };
    const envelope = { ...about, subject: append.aggregateId, time: append.now, traceparent, correlationId };
    return {
      event_id: row.event_id,
      subject: subjectOf(event.type, append.aggregateId),
      headers: toHeaders(envelope),
      data: publishedData(aggregate, event, current, row.version),
    };
  });
}

export function openEventStore<State, Event extends DomainEvent>(
  database: Database,
  aggregate: Aggregate<State, Event>,
) {
  const { name } = aggregate;
  const columns = `${name}_id, version, event_id, type, schema_version, data, command_id, actor, trace_id,
    correlation_id, occurred_at`;

  return {
    /**
     * The aggregate's events in their newest form, the record of the command if it was answered before, and what the
     * decision reads. Throws `unavailable` when an event is stored in a form that only newer code knows.
     */
    async load<Reads>(aggregateId: string, commandId: string, read?: Read): Promise<Loaded<Event, Reads>> {
      const readSql = read ? read.sql.replaceAll('$input', '$3::json') : '$3::json';
      const text = `select
        (select coalesce(json_agg(json_build_object(
           'version', version, 'type', type, 'form', schema_version, 'data', data) order by version), '[]')
         from ${name}_events where ${name}_id = $1) as events,
        (select row_to_json(commands) from commands where command_id = $2) as record,
        (${readSql}) as reads`;
      try {
        const values = [aggregateId, commandId, JSON.stringify(read?.input ?? null)];
        const { rows } = await database.query<Loaded<WrittenEvent, Reads>>({ name: `load-${name}`, text, values });
        const [loaded] = rows;
        if (!loaded) throw new Error('the load gave no row');
        return { ...loaded, events: loaded.events.map((event) => raise(aggregate, aggregateId, event)) };
      } catch (error) {
        throw databaseError(error);
      }
    },

    /**
     * Stores the command's record, its events, their outbox rows and the extra writes together, or nothing of it.
     * Gives the messages to publish. Throws `conflict` when the version, the command's id or a constraint is in the way.
     */
    async append(state: State, append: Append<Event>): Promise<OutboxMessage[]> {
      const rows = toRows(aggregate, append);
      const messages = toMessages(aggregate, state, append, rows);
      const { command, refusal, writes = [] } = append;
      const version = append.expectedVersion + rows.length;
      const text = `with record as (
          insert into commands (command_id, type, fingerprint, aggregate_id, version, refusal) values ($1, $2, $3, $4, $5, $6)
        ), stored as (
          insert into ${name}_events (${columns}) select ${columns} from json_populate_recordset(null::${name}_events, $7)
        ), queued as (
          ${insertOutbox('$8')}
        )${writes.map(({ sql }, index) => `, written_${index} as (${sql.replaceAll('$rows', `$${index + 9}::json`)})`).join('')}
        select 1`;
      const refusalJson = refusal ? JSON.stringify(refusal) : null;
      const ids = [command.id, command.type, command.fingerprint, append.aggregateId, version, refusalJson];
      const extra = writes.map((write) => JSON.stringify(write.rows));
      const values = [...ids, JSON.stringify(rows), JSON.stringify(messages), ...extra];
      try {
        await database.query({ name: `append-${name}-${writes.length}`, text, values });
        return messages;
      } catch (error) {
        if (!isConflict(error)) throw databaseError(error);
        throw new AppError('conflict', 'version-conflict', `${name} ${append.aggregateId} was changed meanwhile`, {
          cause: error,
        });
      }
    },
  };
}
