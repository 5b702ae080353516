/** Orders for the console: the newest of everybody, and one with every state it was in. */
import { listOrders } from '../../functions/api/queries-api/order-view.ts';
import { orderAsOf, readOrderHistory } from '../../functions/orders/client.ts';
import type { PublicOrder } from '../../functions/orders/events.ts';
import { notFound } from '../../functions/runtime/errors.ts';
import type { Database } from '../../functions/runtime/postgres.ts';
import type { OrderLine, OrderStep } from './wire.ts';

const STAFF = { userId: 'console', role: 'staff', scopes: [] };
const MOST_ORDERS = 50;

export async function newestOrders(database: Database): Promise<{ orders: OrderLine[]; more: boolean }> {
  const { orders, next } = await listOrders(database, STAFF, { limit: MOST_ORDERS });
  const lines = orders.map((json) => {
    const order = JSON.parse(json) as PublicOrder;
    const { orderId, version, status, paymentStatus, fulfilmentStatus, createdAt, currency, totalMinor } = order;
    const ordered = order.lines.map(({ name, quantity }) => ({ name, quantity }));
    return {
      orderId,
      version,
      status,
      paymentStatus,
      fulfilmentStatus,
      createdAt,
      currency,
      totalMinor,
      lines: ordered,
    };
  });
  return { orders: lines, more: next !== undefined };
}

/** The version that the read model has of an order; 0 when it has none yet. */
async function versionInView(database: Database, orderId: string): Promise<number> {
  const text = 'select version from order_view where order_id = $1';
  const { rows } = await database.query<{ version: number }>({ text, values: [orderId] });
  return rows[0]?.version ?? 0;
}

export async function orderSteps(
  database: Database,
  orderId: string,
): Promise<{ orderId: string; inView: number; steps: OrderStep[] }> {
  const history = await readOrderHistory(database, orderId);
  if (history.length === 0)
    throw notFound('order-not-found', `There is no order ${orderId}; the list of orders shows which there are`);
  const steps = history.map(({ version, event, at, actor, command, traceId }) => ({
    version,
    type: event.type,
    at,
    actor,
    command,
    traceId,
    data: event.data,
    state: orderAsOf(history, { version }) ?? {},
  }));
  return { orderId, inView: await versionInView(database, orderId), steps };
}
