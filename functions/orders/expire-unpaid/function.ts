/** An order that waits for its payment → ExpireOrder at the time that the payment is due; paid or cancelled → never. */
import { policy, type Reaction } from '../../runtime/policy.ts';
import { EXPIRE_ORDER } from '../commands.ts';
import { ORDERS, orderEvents, type PublicOrder } from '../events.ts';

export function react({
  orderId,
  status,
  paidMinor,
  paymentDueAt,
}: PublicOrder): readonly Reaction<never, typeof EXPIRE_ORDER>[] {
  const timer = orderId;
  if (status !== 'open' || paidMinor > 0) return [{ do: 'cancel', timer, type: EXPIRE_ORDER }];
  if (paymentDueAt === null) return [];
  const command = { type: EXPIRE_ORDER, subject: orderId, data: { orderId } } as const;
  return [{ do: 'schedule', timer, at: paymentDueAt, command }];
}

export default policy({
  stream: ORDERS,
  schedules: [EXPIRE_ORDER],
  accepts: {
    'order.created': orderEvents['order.created'],
    'order.paid': orderEvents['order.paid'],
    'order.cancelled': orderEvents['order.cancelled'],
  },
  react: (_type, { order }) => react(order),
});
