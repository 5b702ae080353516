/** ExpireOrder → order.expired, and its stock is for sale again. */
import { command } from '../../runtime/command.ts';
import { EXPIRE_ORDER, expireOrder } from '../commands.ts';
import { orders } from '../order.ts';
import { moveStock } from '../stock.ts';
import { decide } from './decide.ts';

export default command({
  type: EXPIRE_ORDER,
  accepts: expireOrder,
  publishes: ['order.expired'],
  aggregate: orders,
  target: ({ orderId }) => orderId,
  actor: ({ actor }) => actor.userId,
  decide,
  writes: (events, order) => [moveStock(events, order)],
});
