/** ShipOrder → order.shipped, the whole order or part of it. */
import { command } from '../../runtime/command.ts';
import { SHIP_ORDER, shipOrder } from '../commands.ts';
import { orders } from '../order.ts';
import { decide } from './decide.ts';

export default command({
  type: SHIP_ORDER,
  accepts: shipOrder,
  publishes: ['order.shipped'],
  aggregate: orders,
  target: ({ orderId }) => orderId,
  actor: ({ actor }) => actor.userId,
  decide,
});
