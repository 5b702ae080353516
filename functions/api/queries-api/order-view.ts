/** Queries on the read model order_view: one order, waiting for a version of it, and pages of many. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PublicOrder } from '../../orders/events.ts';
import type { Caller } from '../../runtime/http.ts';
import { type Database, databaseError } from '../../runtime/postgres.ts';
import { cursorOf, type Position } from '../query.ts';

/** The customer whose orders the caller may see; undefined: everybody's. */
const owner = ({ userId, role }: Caller): string | undefined => (role === 'staff' ? undefined : userId);

export const maySee = (caller: Caller, order: PublicOrder): boolean => {
  const customerId = owner(caller);
  return customerId === undefined || customerId === order.customerId;
};

/** A row as it is shown: its JSON goes from Postgres to the client unread. */
export type Shown = { readonly version: number; readonly json: string };

async function rowsBy(database: Database, text: string, values: unknown[], name?: string): Promise<Shown[]> {
  try {
    return (await database.query<Shown>({ text, values, ...(name ? { name } : {}) })).rows;
  } catch (error) {
    throw databaseError(error);
  }
}

async function findOrder(database: Database, caller: Caller, orderId: string): Promise<Shown | undefined> {
  const text = `select version, "order"::text as json from order_view
    where order_id = $1 and ($2::uuid is null or customer_id = $2)`;
  const [order] = await rowsBy(database, text, [orderId, owner(caller) ?? null], 'find-order');
  return order;
}

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 250;

/** The order as soon as the view has `version` of it, or as it is when the time is up; undefined: none to be seen. */
export async function awaitOrder(
  database: Database,
  caller: Caller,
  orderId: string,
  version: number,
  waitMs: number,
): Promise<Shown | undefined> {
  const deadline = Date.now() + waitMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const order = await findOrder(database, caller, orderId);
    const left = deadline - Date.now();
    if ((order?.version ?? 0) >= version || left <= 0) return order;
    await delay(Math.min(pause, left));
  }
}

export type Listing = {
  readonly status?: PublicOrder['status'] | undefined;
  /** RFC 3339: from this time on. */
  readonly created_after?: string | undefined;
  /** RFC 3339: before this time. */
  readonly created_before?: string | undefined;
  /** The last order of the page before. */
  readonly cursor?: Position | undefined;
  readonly limit: number;
};

export const DEFAULT_LIMIT = 20;

/**
 * Pure. SQL for a page and one order more, newest first; a condition that is not asked for is not in it. What most ask
 * for has a name, by which it is prepared.
 */
export function listingQuery(
  { status, created_after, created_before, cursor, limit }: Listing,
  customerId: string | undefined,
): { text: string; values: unknown[]; name?: string } {
  const usual = limit === DEFAULT_LIMIT && !status && !created_after && !created_before;
  const conditions = [
    customerId && { sql: 'customer_id = ?', values: [customerId] },
    status && { sql: 'status = ?', values: [status] },
    created_after && { sql: 'created_at >= ?', values: [created_after] },
    created_before && { sql: 'created_at < ?', values: [created_before] },
    cursor && { sql: '(created_at, order_id) < (?, ?)', values: [cursor.createdAt, cursor.id] },
  ].filter((condition) => typeof condition === 'object');
  const where = conditions.length > 0 ? `where ${conditions.map(({ sql }) => sql).join(' and ')} ` : '';
  let place = 0;
  const text = `select version, "order"::text as json from order_view ${where}order by created_at desc, order_id desc limit ${usual ? DEFAULT_LIMIT + 1 : '?'}`;
  return {
    text: text.replaceAll('?', () => `$${++place}`),
    values: [...conditions.flatMap(({ values }) => values), ...(usual ? [] : [limit + 1])],
    ...(usual ? { name: `list-orders${customerId ? '-of' : ''}${cursor ? '-after' : ''}` } : {}),
  };
}

/**
 * A page of the orders that the caller may see, newest first, each in JSON; `next` is the cursor of the page after it, if
 * there is one.
 */
export async function listOrders(
  database: Database,
  caller: Caller,
  listing: Listing,
): Promise<{ orders: string[]; next: string | undefined }> {
  const { text, values, name } = listingQuery(listing, owner(caller));
  const found = await rowsBy(database, text, values, name);
  const orders = found.slice(0, listing.limit).map(({ json }) => json);
  const last = found.length > listing.limit ? orders.at(-1) : undefined;
  if (!last) return { orders, next: undefined };
  const { createdAt, orderId } = JSON.parse(last) as PublicOrder;
  return { orders, next: cursorOf({ createdAt, id: orderId }) };
}
