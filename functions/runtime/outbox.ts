/** Outbox: messages stored in the transaction of what they tell, published after it, and then removed. */

import { toAppError } from './errors.ts';
import type { Shell } from './function.ts';
import type { Bus } from './jetstream/connection.ts';
import { send } from './jetstream/publishing.ts';
import { type Database, databaseError } from './postgres.ts';

/** A message to publish: CloudEvents attributes as `ce-*` headers, JSON data as text. */
export type OutboxMessage = {
  readonly event_id: string;
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: unknown;
};

/** Statement body that stores the messages given as a JSON array in parameter `$n`; for use inside a larger statement. */
export const insertOutbox = (parameter: string): string =>
  `insert into outbox (event_id, subject, headers, data)
   select event_id, subject, headers, data
   from json_to_recordset(${parameter}::json) as row (event_id text, subject text, headers json, data json)`;

export type Outbox = {
  /** Publishes stored messages; resolves when JetStream holds them all. Repeats do no harm. */
  publish(messages: readonly OutboxMessage[]): Promise<void>;
  /** Resolves when the rows of what was published are removed, or could not be. */
  removed(): Promise<void>;
};

const publishOne = (bus: Bus, { subject, data, headers, event_id }: OutboxMessage): Promise<number> =>
  send(bus, subject, JSON.stringify(data), headers, event_id);

/**
 * Publishing needs no wait for the removal of the row: rows that were left behind are published again by outbox-relay,
 * under the same message id, which JetStream and every consumer recognise.
 */
export function openOutbox(shell: Shell, database: Database, bus: Bus): Outbox {
  let published: string[] = [];
  let removal: Promise<void> | undefined;

  const removeAll = async (): Promise<void> => {
    while (published.length > 0) {
      const batch = published;
      published = [];
      await database.query({
        name: 'outbox-remove',
        text: 'delete from outbox where event_id = any($1)',
        values: [batch],
      });
    }
  };

  const startRemoval = (): Promise<void> => {
    removal ??= removeAll()
      .catch((error) =>
        shell.log.warn({ error: toAppError(error).message }, 'published, but the outbox rows stay for the relay'),
      )
      .finally(() => {
        removal = undefined;
        if (published.length > 0) void startRemoval();
      });
    return removal;
  };

  shell.onClose(startRemoval);
  return {
    async publish(messages) {
      const attempts = await Promise.allSettled(messages.map((message) => publishOne(bus, message)));
      published.push(
        ...messages.filter((_, index) => attempts[index]?.status === 'fulfilled').map(({ event_id }) => event_id),
      );
      void startRemoval();
      const failed = attempts.find((attempt) => attempt.status === 'rejected');
      if (failed) throw failed.reason;
    },
    removed: startRemoval,
  };
}

/** Up to `limit` stored messages older than `olderThanMs`, oldest first, on subjects that begin with `prefix`. */
export async function readOutbox(
  database: Database,
  limit: number,
  olderThanMs = 0,
  prefix = '',
): Promise<OutboxMessage[]> {
  try {
    const { rows } = await database.query<OutboxMessage>({
      name: 'outbox-read',
      text: `select event_id, subject, headers, data from outbox
             where starts_with(subject, $2) and created_at <= now() - $3 * interval '1 ms' order by created_at, event_id limit $1`,
      values: [limit, prefix, olderThanMs],
    });
    return rows;
  } catch (error) {
    throw databaseError(error);
  }
}

/** How many messages are stored, 10,000 at most, and for how many seconds the oldest has been. */
export async function measureOutbox(database: Database): Promise<{ readonly depth: number; readonly oldest: number }> {
  try {
    const { rows } = await database.query<{ depth: number; oldest: number }>({
      name: 'outbox-measure',
      text: `select count(*)::int as depth, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as oldest
             from (select created_at from outbox order by created_at limit 10000) as stored`,
    });
    return rows[0] ?? { depth: 0, oldest: 0 };
  } catch (error) {
    throw databaseError(error);
  }
}
