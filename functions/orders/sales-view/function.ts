/** Order events → table sales_view: one row an event, with what it adds to its day; the same event twice counts once. */
import { projector } from '../../runtime/projector.ts';
import { ORDERS, orderEvents } from '../events.ts';
import { saleOf } from './sale.ts';

export default projector({
  stream: ORDERS,
  accepts: {
    'order.created': orderEvents['order.created'],
    'order.paid': orderEvents['order.paid'],
    'order.refunded': orderEvents['order.refunded'],
  },
  table: 'sales_view',
  key: ['order_id', 'version'],
  row: saleOf,
});
