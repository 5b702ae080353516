/** Something that happened to a user → the message that tells of it. */
import type * as z from 'zod/mini';
import { subjectOf, toHeaders } from '../../runtime/bus.ts';
import { newId } from '../../runtime/ids.ts';
import { insertOutbox, type OutboxMessage } from '../../runtime/outbox.ts';
import type { Queries } from '../../runtime/postgres.ts';
import type { Trace } from '../../runtime/trace.ts';
import type { userEvents } from '../events.ts';
import { query } from './stored.ts';

type Events = typeof userEvents;

/** Is told of each message once it is stored. */
export type Announce = (message: OutboxMessage) => void;

/** `at` is when it happened, RFC 3339. */
export function userEvent<Type extends keyof Events>(
  type: Type,
  data: z.infer<Events[Type]> & { readonly userId: string },
  at: string,
  { traceparent }: Trace,
): OutboxMessage {
  const id = newId();
  const headers = toHeaders({ id, type, subject: data.userId, time: at, traceparent });
  return { event_id: id, subject: subjectOf(type, data.userId), headers, data };
}

const STORE = { name: 'user-events', text: insertOutbox('$1') };

/** For use in the transaction of what the messages tell. */
export async function storeEvents(queries: Queries, messages: readonly OutboxMessage[]): Promise<void> {
  await query(queries, STORE, [JSON.stringify(messages)]);
}
