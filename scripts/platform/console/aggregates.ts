/** Orders for the console: the newest of everybody, and one with every state it was in. */
import { listOrders } from '../../../functions/api/queries-api/order-view.ts';
import { readOrderHistory } from '../../../functions/orders/client.ts';
import type { PublicOrder } from '../../../functions/orders/events.ts';
import { orders } from '../../../functions/orders/order.ts';
import { notFound } from '../../../functions/runtime/errors.ts';
import type { Database } from '../../../functions/runtime/postgres.ts';
import type { OrderLine, OrderStep } from './wire.ts';

const STAFF = { userId: 'console', role: 'staff', scopes: [] };
const MOST_ORDERS = 50;
const MOST_STEPS = 1_000;

export async function newestOrders(database: Database): Promise<{ orders: OrderLine[]; more: boolean }> {
  const { orders: newest, next } = await listOrders(database, STAFF, { limit: MOST_ORDERS });
  const lines = newest.map((json) => {
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
): Promise<{ orderId: string; inView: number; steps: OrderStep[]; more: boolean }> {
  const found = await readOrderHistory(database, orderId, { most: MOST_STEPS + 1 });
  const history = found.slice(0, MOST_STEPS);
  if (history.length === 0)
    throw notFound('order-not-found', `There is no order ${orderId}; the list of orders shows which there are`);
  let order = orders.initial;
  const steps = history.map(({ version, event, at, actor, command, traceId }) => {
    order = orders.evolve(order, event);
    return {
      version,
      type: event.type,
      at,
      actor,
      command,
      traceId,
      data: event.data,
      state: orders.publish(order, version) as Record<string, unknown>,
    };
  });
  return { orderId, inView: await versionInView(database, orderId), steps, more: found.length > MOST_STEPS };
}
