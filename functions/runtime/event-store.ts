/** Events of aggregates in Postgres: load and append, each one statement for all commands that wait, the append one transaction. */
import { type Append, rowsOf } from './append.ts';
import { AppError } from './errors.ts';
import { insertOutbox, type OutboxMessage } from './outbox.ts';
import { type Database, databaseError, isConflict } from './postgres.ts';
import { asStatement } from './postgres-steps.ts';
import { raise, type StoredForms, type WrittenEvent } from './stored-forms.ts';
import { together } from './together.ts';

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

/**
 * One more statement in the transaction of an append; `$rows` in its SQL stands for the rows, as a JSON array. Of commands
 * that are stored together it gets the rows of all in one.
 */
export type Write = { readonly sql: string; readonly rows: readonly object[] };

/** A query that a decision needs; `$input` in its SQL stands for the input, as JSON. It gives one JSON value. */
export type Read = { readonly sql: string; readonly input: unknown };

/** Commands that one statement loads or appends, at most. */
const MOST_TOGETHER = 128;

type Statement = { readonly name: string; readonly text: string; readonly values: string[] };
type Question = { readonly aggregateId: string; readonly commandId: string; readonly read: Read | undefined };
type Appended = ReturnType<typeof rowsOf> & { readonly writes: readonly Write[] };

export function openEventStore<State, Event extends DomainEvent>(
  database: Database,
  aggregate: Aggregate<State, Event>,
) {
  const { name } = aggregate;
  const columns = `${name}_id, version, event_id, type, schema_version, data, command_id, actor, trace_id,
    correlation_id, occurred_at`;

  const loadStatement = (read: Read | undefined) => ({
    name: `load-${name}`,
    text: `select
        (select coalesce(json_agg(json_build_object(
           'version', version, 'type', type, 'form', schema_version, 'data', data) order by version), '[]')
         from ${name}_events where ${name}_id = asked.aggregate_id) as events,
        (select row_to_json(commands) from commands where command_id = asked.command_id) as record,
        (${read ? read.sql.replaceAll('$input', 'asked.input') : 'null::json'}) as reads
      from json_to_recordset($1) as asked (place integer, aggregate_id uuid, command_id uuid, input json)
      order by place`,
  });

  const appendStatement = (writes: readonly Write[]) => ({
    name: `append-${name}-${writes.length}`,
    text: `with record as (
        insert into commands (command_id, type, fingerprint, aggregate_id, version, refusal)
        select command_id, type, fingerprint, aggregate_id, version, refusal
        from json_populate_recordset(null::commands, $1) order by command_id
      ), stored as (
        insert into ${name}_events (${columns})
        select ${columns} from json_populate_recordset(null::${name}_events, $2) order by ${name}_id, version
      ), queued as (
        ${insertOutbox('$3')}
      )${writes.map(({ sql }, index) => `, written_${index} as (${sql.replaceAll('$rows', `$${index + 4}::json`)})`).join('')}
      select 1`,
  });

  const query = async <Row extends object>(statement: Statement): Promise<Row[]> => {
    try {
      return (await database.query<Row>(statement)).rows;
    } catch (error) {
      throw databaseError(error);
    }
  };

  const loadAll = together(MOST_TOGETHER, async (questions: readonly Question[]) => {
    const asked = questions.map(({ aggregateId, commandId, read }, place) => ({
      place,
      aggregate_id: aggregateId,
      command_id: commandId,
      input: read?.input,
    }));
    return query<Loaded<WrittenEvent, unknown>>({
      ...loadStatement(questions[0]?.read),
      values: [JSON.stringify(asked)],
    });
  });

  const appendAll = together(MOST_TOGETHER, async (all: readonly Appended[]) => {
    const writes = all[0]?.writes ?? [];
    const values = [
      all.map(({ record }) => record),
      all.flatMap(({ events }) => events),
      all.flatMap(({ messages }) => messages),
      ...writes.map((_, index) => all.flatMap((one) => one.writes[index]?.rows ?? [])),
    ].map((rows) => JSON.stringify(rows));
    await query({ ...appendStatement(writes), values });
    return all;
  });

  return {
    /**
     * The aggregate's events in their newest form, the record of the command if it was answered before, and what the
     * decision reads. Throws `unavailable` when an event is stored in a form that only newer code knows.
     */
    async load<Reads>(aggregateId: string, commandId: string, read?: Read): Promise<Loaded<Event, Reads>> {
      const question = { aggregateId, commandId, read };
      const loaded = await asStatement(loadStatement(read), () => loadAll(question));
      const events = loaded.events.map((event) => raise(aggregate, aggregateId, event));
      return { events, record: loaded.record, reads: loaded.reads as Reads };
    },

    /**
     * Stores the command's record, its events, their outbox rows and the extra writes together, or nothing of it.
     * Gives the messages to publish. Throws `conflict` when the version, the command's id or a constraint is in the way.
     */
    async append(state: State, append: Append<Event>): Promise<readonly OutboxMessage[]> {
      const { aggregateId, writes = [] } = append;
      const rows = { ...rowsOf(aggregate, state, append), writes };
      try {
        await asStatement(appendStatement(writes), () => appendAll(rows));
        return rows.messages;
      } catch (error) {
        if (!isConflict(error)) throw error;
        throw new AppError('conflict', 'version-conflict', `${name} ${aggregateId} was changed meanwhile`, {
          cause: error,
        });
      }
    },
  };
}
