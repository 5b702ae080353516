/** CancelOrder → order.cancelled, and its stock is for sale again. */
import { command } from '../../runtime/command.ts';
import { CANCEL_ORDER, cancelOrder } from '../commands.ts';
import { orders } from '../order.ts';
import { moveStock } from '../stock.ts';
import { decide } from './decide.ts';

export default command({
  type: CANCEL_ORDER,
  accepts: cancelOrder,
  publishes: ['order.cancelled'],
  aggregate: orders,
  target: ({ orderId }) => orderId,
  actor: ({ actor }) => actor.userId,
  decide,
  writes: (events, order) => [moveStock(events, order)],
});
