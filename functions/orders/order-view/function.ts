/** Order events → table order_view: one row an order, as its newest event shows it. */
import { projector } from '../../runtime/projector.ts';
import { ORDERS, orderEvents } from '../events.ts';

export default projector({
  stream: ORDERS,
  accepts: orderEvents,
  table: 'order_view',
  key: ['order_id'],
  row: ({ data: { order } }) => ({
    order_id: order.orderId,
    version: order.version,
    customer_id: order.customerId,
    status: order.status,
    created_at: order.createdAt,
    order,
  }),
});
