/** What other contexts may read of orders beyond the read models: an order's history, and the order as it once was. */

import { fold } from '../runtime/aggregate.ts';
import { readHistory, type StoredEvent, type Stretch } from '../runtime/history.ts';
import type { Database } from '../runtime/postgres.ts';
import type { PublicOrder } from './events.ts';
import { type OrderEvent, orders } from './order.ts';

export type OrderHistory = readonly StoredEvent<OrderEvent>[];

/** Which of an order's states is meant: that of a version, that at a time (RFC 3339), or the newest. */
export type Moment = { readonly version?: number | undefined; readonly at?: string | undefined };

/** An order's events, oldest first, from the event store; none when there is no such order. */
export const readOrderHistory = (database: Database, orderId: string, stretch?: Stretch): Promise<OrderHistory> =>
  readHistory(database, orders, orderId, stretch);

function isBy({ version, at }: Moment, event: OrderHistory[number]): boolean {
  if (version !== undefined && event.version > version) return false;
  return at === undefined || Date.parse(event.at) <= Date.parse(at);
}

/** Pure. The order as it stood then; undefined when it had not come to be, or has not come to that version. */
export function orderAsOf(history: OrderHistory, moment: Moment): PublicOrder | undefined {
  // Clocks differ: what came before an event belongs to its past, whatever time it bears.
  const end = history.findIndex((event) => !isBy(moment, event));
  const until = end < 0 ? history : history.slice(0, end);
  const version = until.at(-1)?.version;
  if (version === undefined || (moment.version !== undefined && moment.version !== version)) return undefined;
  const state = fold(
    orders,
    until.map(({ event }) => event),
  );
  return orders.publish(state, version) as PublicOrder;
}
