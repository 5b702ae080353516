/** Pure: which order a command may touch. Somebody else's order is, to a customer, not there. */
import { notFound, refused } from '../runtime/errors.ts';
import type { Actor } from './commands.ts';
import type { ExistingOrder, Order } from './order.ts';

type Addressed = { readonly orderId: string; readonly actor: Actor };

/** The order that a command is for; throws `order-not-found` when there is none, or none of this customer. */
export function orderOf({ orderId, actor }: Addressed, order: Order): ExistingOrder {
  const hidden = order.status !== 'none' && actor.role === 'customer' && order.customerId !== actor.userId;
  if (order.status === 'none' || hidden) throw notFound('order-not-found', `There is no order ${orderId}`);
  return order;
}

/** The order, if it is open; throws the refusal that names what has become of it. */
export function openOrderOf(command: Addressed, order: Order): ExistingOrder {
  const existing = orderOf(command, order);
  if (existing.status === 'open') return existing;
  throw refused(`order-${existing.status}`, `Order ${existing.orderId} is ${existing.status}`);
}
