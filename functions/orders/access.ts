/** Pure: which order a command may touch. Somebody else's order is, to a customer, not there. */
import { notFound, refused } from '../runtime/errors.ts';
import type { Actor } from './commands.ts';
import type { ExistingOrder, Order } from './order.ts';

type Addressed = {
  readonly orderId: string;
  readonly actor: Actor;
  readonly expectedVersion?: number | undefined;
};

/**
 * The order that a command is for; throws `order-not-found` when there is none, or none of this customer, and then
 * `version-mismatch` when `version` is another than the sender has seen. A command that has begun to move money gives no
 * version: what it has begun it must end.
 */
export function orderOf({ orderId, actor, expectedVersion }: Addressed, order: Order, version?: number): ExistingOrder {
  const hidden = order.status !== 'none' && actor.role === 'customer' && order.customerId !== actor.userId;
  if (order.status === 'none' || hidden) throw notFound('order-not-found', `There is no order ${orderId}`);
  if (version !== undefined && expectedVersion !== undefined && version !== expectedVersion)
    throw refused(
      'version-mismatch',
      `Order ${orderId} is at version ${version}, not ${expectedVersion}; read it again`,
    );
  return order;
}

/** The order, if it is open; throws the refusal that names what has become of it. */
export function openOrderOf(command: Addressed, order: Order, version?: number): ExistingOrder {
  const existing = orderOf(command, order, version);
  if (existing.status === 'open') return existing;
  throw refused(`order-${existing.status}`, `Order ${existing.orderId} is ${existing.status}`);
}
