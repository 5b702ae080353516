/** CreateOrder → order.created. The same command twice creates one order and answers the same. */
import { command } from '../../runtime/command.ts';
import { integer, setting } from '../../runtime/settings.ts';
import { CREATE_ORDER, createOrder } from '../commands.ts';
import { orders } from '../order.ts';
import { productsBySku } from '../products.ts';
import { moveStock } from '../stock.ts';
import { decide } from './decide.ts';

export default command({
  type: CREATE_ORDER,
  accepts: createOrder,
  publishes: ['order.created'],
  aggregate: orders,
  settings: {
    PAYMENT_WINDOW_SECONDS: setting(
      'Seconds that an order waits for its payment, up to 30 days',
      integer(1, 2_592_000),
      '1800',
    ),
  },
  target: (order, commandId) => order.orderId ?? commandId,
  actor: (order) => order.customerId,
  reads: (order) => productsBySku(order.lines.map((line) => line.sku)),
  decide,
  writes: (events, order) => [moveStock(events, order)],
});
