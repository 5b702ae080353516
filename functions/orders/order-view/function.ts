/** Order events → table order_view: one row an order, as its newest event shows it. */
import { projector } from '../../runtime/projector.ts';
import { ORDERS, orderEvents } from '../events.ts';
import { rowOf } from './row.ts';

export default projector({
  stream: ORDERS,
  accepts: orderEvents,
  table: 'order_view',
  key: ['order_id'],
  row: ({ data }) => rowOf(data),
});
