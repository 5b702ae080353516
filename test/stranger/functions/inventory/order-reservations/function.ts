/** order.created → ReserveStock for its pieces. */
import { ORDERS, orderEvents } from '../../orders/events.ts';
import { policy } from '../../runtime/policy.ts';
import { RESERVE_STOCK } from '../commands.ts';
import { react } from './react.ts';

export default policy({
  stream: ORDERS,
  publishes: [RESERVE_STOCK],
  accepts: { 'order.created': orderEvents['order.created'] },
  react: (_type, data) => react(data),
});
