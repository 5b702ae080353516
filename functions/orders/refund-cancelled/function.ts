/** A paid order that is cancelled, and a payment that came after the end of its order → RefundOrder of what is left. */
import { policy, type Reaction } from '../../runtime/policy.ts';
import { REFUND_ORDER } from '../commands.ts';
import { ORDERS, orderEvents, type PublicOrder } from '../events.ts';

export function react({
  orderId,
  status,
  paidMinor,
  refundedMinor,
}: PublicOrder): readonly Reaction<typeof REFUND_ORDER>[] {
  const ended = status === 'cancelled' || status === 'expired';
  if (!ended || paidMinor === refundedMinor) return [];
  const data = { orderId, reason: `order ${status}` };
  return [{ do: 'send', command: { type: REFUND_ORDER, subject: orderId, data } }];
}

export default policy({
  stream: ORDERS,
  publishes: [REFUND_ORDER],
  accepts: { 'order.cancelled': orderEvents['order.cancelled'], 'order.paid': orderEvents['order.paid'] },
  react: (_type, { order }) => react(order),
});
