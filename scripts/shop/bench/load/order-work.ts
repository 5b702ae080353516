/** What is done with one order again and again, by its number: an append as a command makes it, and reads as queries-api makes them. */
import { randomUUID } from 'node:crypto';
import { awaitOrder, listOrders } from '../../../../functions/api/queries-api/order-view.ts';
import { orderAsOf, readOrderHistory } from '../../../../functions/orders/client.ts';
import { orders } from '../../../../functions/orders/order.ts';
import type { Database } from '../../../../functions/runtime/postgres.ts';
import { openEventStore } from '../../../../functions/runtime/store/event-store.ts';
import { continueTrace } from '../../../../functions/runtime/trace.ts';
import { customerIdOf, orderIdOf } from './seed-orders.ts';

const trace = continueTrace(undefined);

/** As a command does it: its order as it stands, and one event more. */
function appender(database: Database): (orderId: string) => Promise<void> {
  const store = openEventStore(database, orders);
  return async (orderId) => {
    const id = randomUUID();
    const { state, version, snapshotVersion } = await store.load(orderId, id);
    const now = new Date().toISOString();
    await store.append(state, {
      aggregateId: orderId,
      expectedVersion: version,
      snapshotVersion,
      command: { id, type: 'command.order.refund', fingerprint: 'bench', actor: customerIdOf(0) },
      events: [{ type: 'order.refunded', data: { refundId: id, amountMinor: 1, reason: 'bench', refundedAt: now } }],
      now,
      trace,
      correlationId: id,
    });
  };
}

const caller = (number: number) => ({ userId: customerIdOf(number), role: 'customer', scopes: [] });

/** What is timed, of an order by its number. */
export function workOf(database: Database) {
  const append = appender(database);
  return {
    'append to an order': (number: number) => append(orderIdOf(number)),
    'read an order': async (number: number) => {
      if (!(await awaitOrder(database, caller(number), orderIdOf(number), 1, 0))) throw new Error('no order is shown');
    },
    'read a page of 20': async (number: number) => {
      const { orders: page } = await listOrders(database, caller(number), { limit: 20 });
      if (page.length === 0) throw new Error('no order is listed');
    },
    'read an order as it was': async (number: number) => {
      const history = await readOrderHistory(database, orderIdOf(number));
      if (!orderAsOf(history, { version: history.length - 1 })) throw new Error('the order has no past');
    },
  };
}
export type Work = keyof ReturnType<typeof workOf>;
