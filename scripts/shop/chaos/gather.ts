/** The shop at rest → a snapshot of all that it stores; and, at any time, what it has still to do. */
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import type { Database } from '../../../functions/runtime/postgres.ts';
import { parseHeaders, readDeadLetters, storedMessages } from '../../operate/dead-letters/dead-letters.ts';
import type { Message, Rest, Snapshot } from './snapshot.ts';

export type Stores = { readonly bus: Bus; readonly database: Database };

/** Streams whose messages wait for a function; a message that was handled is not in them any more. */
const QUEUES = ['COMMANDS', 'RETRIES'];
const STREAMS = ['ORDERS', 'USERS', ...QUEUES];

type Consumers = { consumers: readonly { name: string; num_pending: number; num_ack_pending: number }[] };
type Info = { state: { subjects?: Readonly<Record<string, number>> } };

async function lagOf(bus: Bus, stream: string): Promise<string[]> {
  const { consumers } = await bus.api<Consumers>(`CONSUMER.LIST.${stream}`, { offset: 0 });
  return consumers
    .map(({ name, num_pending, num_ack_pending }) => ({ name, lag: num_pending + num_ack_pending }))
    .filter(({ lag }) => lag > 0)
    .map(({ name, lag }) => `${stream}/${name}: ${lag}`);
}

async function subjectsIn(bus: Bus, stream: string): Promise<string[]> {
  const { state } = await bus.api<Info>(`STREAM.INFO.${stream}`, { subjects_filter: '>' });
  return Object.keys(state.subjects ?? {});
}

/** One column of a query, as text. */
async function column({ database }: Stores, text: string): Promise<string[]> {
  const { rows } = await database.query<{ found: string }>(text);
  return rows.map(({ found }) => found);
}

export async function gatherRest(stores: Stores): Promise<Rest> {
  const { bus } = stores;
  const [lag, messages] = await Promise.all([
    Promise.all(STREAMS.map((stream) => lagOf(bus, stream))),
    Promise.all(QUEUES.map((stream) => subjectsIn(bus, stream))),
  ]);
  return {
    lag: lag.flat(),
    messages: messages.flat(),
    outbox: await column(stores, 'select event_id as found from outbox'),
    claims: await column(
      stores,
      `select event_id || ' ' || template as found from notifications where status = 'claimed'`,
    ),
    payments: await column(stores, `select payment_id as found from payments where status = 'started'`),
  };
}

function parsed(base64 = ''): unknown {
  const text = Buffer.from(base64, 'base64').toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function messagesOf(bus: Bus, stream: string): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const { message } of storedMessages(bus, stream, '>')) {
    const { subject, hdrs, data } = message;
    messages.push({ id: parseHeaders(hdrs)['ce-id'] ?? '', subject, data: parsed(data) });
  }
  return messages;
}

async function deadLettersOf(bus: Bus): Promise<Snapshot['deadLetters']> {
  const deadLetters: Snapshot['deadLetters'][number][] = [];
  for await (const { headers, function: name, error } of readDeadLetters(bus))
    deadLetters.push({ id: headers['ce-id'] ?? '', function: name, error });
  return deadLetters;
}

export async function gatherStock({ database }: Stores, skus: readonly string[]): Promise<Record<string, number>> {
  const { rows } = await database.query<{ sku: string; stock: number }>(
    'select sku, stock from products where sku = any($1)',
    [skus],
  );
  return Object.fromEntries(rows.map(({ sku, stock }) => [sku, stock]));
}

const QUERIES = {
  events: `select order_id as "orderId", version, event_id as "eventId", type, schema_version as "schemaVersion", data,
    command_id as "commandId", actor from order_events order by order_id, version`,
  commands: `select command_id as "commandId", version from commands`,
  payments: `select payment_id as "paymentId", amount_minor::float8 as "amountMinor" from payments where status <> 'refused'`,
  ledger: `select key, order_id as "orderId", amount_minor::float8 as "amountMinor" from provider_ledger`,
  orderView: `select order_id as "orderId", "order" from order_view`,
  salesView: `select order_id, version, day::text, currency, orders, revenue_minor::float8, refunds, refunded_minor::float8
    from sales_view`,
  users: `select user_id as "userId", email from users`,
} as const;
type Stored = keyof typeof QUERIES;

async function tables({ database }: Stores): Promise<Pick<Snapshot, Stored>> {
  const read = Object.entries(QUERIES).map(async ([name, text]) => [name, (await database.query(text)).rows] as const);
  return Object.fromEntries(await Promise.all(read)) as unknown as Pick<Snapshot, Stored>;
}

/** What clients, the mail sink and the faults have noted, and what there was before. */
export type Noted = Pick<
  Snapshot,
  'answers' | 'unanswered' | 'signUps' | 'stockBefore' | 'planted' | 'mails' | 'excuses'
>;

export async function gather(stores: Stores, noted: Noted): Promise<Snapshot> {
  return {
    ...noted,
    ...(await tables(stores)),
    stock: await gatherStock(stores, Object.keys(noted.stockBefore)),
    orderMessages: await messagesOf(stores.bus, 'ORDERS'),
    userMessages: await messagesOf(stores.bus, 'USERS'),
    deadLetters: await deadLettersOf(stores.bus),
    rest: await gatherRest(stores),
  };
}
