/** Queries on the read model order_view. */
import type { PublicOrder } from '../../orders/events.ts';
import type { Caller } from '../../runtime/http.ts';
import { type Database, databaseError } from '../../runtime/postgres.ts';

/** The customer whose orders the caller may see; null: everybody's. */
const owner = ({ userId, role }: Caller): string | null => (role === 'staff' ? null : userId);

async function ordersBy(database: Database, name: string, text: string, values: unknown[]): Promise<PublicOrder[]> {
  try {
    const { rows } = await database.query<{ order: PublicOrder }>({ name, text, values });
    return rows.map(({ order }) => order);
  } catch (error) {
    throw databaseError(error);
  }
}

/** The order, if the caller may see it. */
export async function findOrder(database: Database, caller: Caller, orderId: string): Promise<PublicOrder | undefined> {
  const text = `select "order" from order_view where order_id = $1 and ($2::uuid is null or customer_id = $2)`;
  const [order] = await ordersBy(database, 'find-order', text, [orderId, owner(caller)]);
  return order;
}

/** The newest orders that the caller may see, newest first. */
export function listOrders(database: Database, caller: Caller, limit: number): Promise<PublicOrder[]> {
  const customer = owner(caller);
  const order = 'order by created_at desc, order_id desc limit $1';
  if (!customer) return ordersBy(database, 'list-orders', `select "order" from order_view ${order}`, [limit]);
  return ordersBy(database, 'list-own-orders', `select "order" from order_view where customer_id = $2 ${order}`, [
    limit,
    customer,
  ]);
}
