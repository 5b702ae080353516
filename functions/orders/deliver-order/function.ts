/** DeliverOrder → order.delivered. */
import { command } from '../../runtime/command.ts';
import { DELIVER_ORDER, deliverOrder } from '../commands.ts';
import { orders } from '../order.ts';
import { decide } from './decide.ts';

export default command({
  type: DELIVER_ORDER,
  accepts: deliverOrder,
  publishes: ['order.delivered'],
  aggregate: orders,
  target: ({ orderId }) => orderId,
  actor: ({ actor }) => actor.userId,
  decide,
});
