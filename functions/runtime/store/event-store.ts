/** Events of aggregates in Postgres: load and append, each one statement for all commands that wait, the append one transaction. */

import { type Aggregate, type DomainEvent, fold, type Read, type Write } from '../aggregate.ts';
import { AppError } from '../errors.ts';
import type { OutboxMessage } from '../outbox.ts';
import { type Database, databaseError, isConflict } from '../postgres.ts';
import { asStatement } from '../telemetry/query-spans.ts';
import { type Append, rowsOf } from './append.ts';
import type { Refusal } from './refusal.ts';
import { upcast, type WrittenEvent } from './schema-versions.ts';
import { appendStatement, loadStatement } from './statements.ts';
import { together } from './together.ts';

/** A command that was answered before: where it led to, or why it was refused. */
export type CommandRecord = {
  readonly fingerprint: string;
  readonly version: number;
  readonly refusal: Refusal | null;
};

type Loaded<State, Reads> = {
  readonly state: State;
  readonly version: number;
  /** Version of the snapshot that the state was made from; 0 without one. */
  readonly snapshotVersion: number;
  readonly record: CommandRecord | null;
  readonly reads: Reads;
};

type LoadedRow<State> = {
  readonly snapshot: { readonly version: number; readonly state: State } | null;
  readonly events: readonly WrittenEvent[];
  readonly record: CommandRecord | null;
  readonly reads: unknown;
};

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

  const query = async <Row extends object>(statement: Statement): Promise<Row[]> => {
    try {
      return (await database.query<Row>(statement)).rows;
    } catch (error) {
      throw databaseError(error);
    }
  };

  const loadAll = together(MOST_TOGETHER, async (questions: readonly Question[]) => {
    const asked = questions.map(({ aggregateId, commandId, read }, ordinal) => ({
      ordinal,
      aggregate_id: aggregateId,
      command_id: commandId,
      input: read?.input,
    }));
    return query<LoadedRow<State>>({
      ...loadStatement(aggregate, questions[0]?.read),
      values: [JSON.stringify(asked)],
    });
  });

  const appendAll = together(MOST_TOGETHER, async (all: readonly Appended[]) => {
    const writes = all[0]?.writes ?? [];
    const values = [
      all.map(({ record }) => record),
      all.flatMap(({ events }) => events),
      all.flatMap(({ messages }) => messages),
      all.flatMap(({ snapshots }) => snapshots),
      ...writes.map((_, index) => all.flatMap((one) => one.writes[index]?.rows ?? [])),
    ].map((rows) => JSON.stringify(rows));
    await query({ ...appendStatement(aggregate, writes), values });
    return all;
  });

  return {
    /**
     * The aggregate as it stands, and what the decision reads; for a command that was answered before, its record, and the
     * aggregate as it stood then. Throws `unavailable` when an event is stored in a schema version that only newer code knows.
     */
    async load<Reads>(aggregateId: string, commandId: string, read?: Read): Promise<Loaded<State, Reads>> {
      const question = { aggregateId, commandId, read };
      const { snapshot, events, record, reads } = await asStatement(loadStatement(aggregate, read), () =>
        loadAll(question),
      );
      const upcasted = events.map((event) => upcast(aggregate, aggregateId, event));
      const snapshotVersion = snapshot?.version ?? 0;
      const state = fold(aggregate, upcasted, snapshot?.state);
      return { state, version: snapshotVersion + events.length, snapshotVersion, record, reads: reads as Reads };
    },

    /**
     * Stores the command's record, its events, their outbox rows, a snapshot when it is time for one, and the extra writes
     * together, or nothing of it.
     * Gives the messages to publish. Throws `conflict` when the version, the command's id or a constraint is in the way.
     */
    async append(state: State, append: Append<Event>): Promise<readonly OutboxMessage[]> {
      const { aggregateId, writes = [] } = append;
      const rows = { ...rowsOf(aggregate, state, append), writes };
      try {
        await asStatement(appendStatement(aggregate, writes), () => appendAll(rows));
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
