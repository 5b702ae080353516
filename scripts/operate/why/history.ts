/** A subject → its aggregate's events as the event store keeps them, and how many of its messages are still in the outbox. */
import type { Aggregate, DomainEvent } from '../../../functions/runtime/aggregate.ts';
import { readHistory, type StoredEvent } from '../../../functions/runtime/history.ts';
import { readOutbox } from '../../../functions/runtime/outbox.ts';
import type { Database } from '../../../functions/runtime/postgres.ts';

export type Aggregates = readonly Aggregate<unknown, DomainEvent>[];
export type History = {
  /** Name of the aggregate. */
  readonly aggregate: string;
  readonly subject: string;
  /** Oldest first; at least one. */
  readonly events: readonly (Omit<StoredEvent<DomainEvent>, 'event'> & { readonly type: string })[];
  /** Stored, but not published yet; 100 at most. */
  readonly unpublished: number;
};

const MOST_UNPUBLISHED = 100;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

async function ofSubject(database: Database, aggregates: Aggregates, subject: string): Promise<History | undefined> {
  for (const aggregate of aggregates) {
    const stored = await readHistory(database, aggregate, subject);
    if (stored.length === 0) continue;
    const { name } = aggregate;
    const left = await readOutbox(database, MOST_UNPUBLISHED, 0, `${name}.${subject}.`);
    const events = stored.map(({ event: { type }, ...rest }) => ({ type, ...rest }));
    return { aggregate: name, subject, events, unpublished: left.length };
  }
  return undefined;
}

async function subjectOfCommand(database: Database, commandId: string): Promise<string | undefined> {
  const { rows } = await database.query<{ aggregate_id: string }>({
    text: 'select aggregate_id from commands where command_id = $1',
    values: [commandId],
  });
  return rows[0]?.aggregate_id;
}

/** `id` is an aggregate's, or that of a command that one has answered; undefined when it is neither. */
export async function findHistory(
  database: Database,
  aggregates: Aggregates,
  id: string,
): Promise<History | undefined> {
  // Ids of aggregates and commands are uuids in the event store.
  if (!UUID.test(id)) return undefined;
  const found = await ofSubject(database, aggregates, id.toLowerCase());
  if (found) return found;
  const subject = await subjectOfCommand(database, id);
  return subject === undefined ? undefined : ofSubject(database, aggregates, subject);
}
