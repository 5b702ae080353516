/** Pure: an open order of which nothing is shipped → order.cancelled. What was paid is refunded by refund-cancelled. */
import type * as z from 'zod/mini';
import type { Decision } from '../../runtime/command.ts';
import { refused } from '../../runtime/errors.ts';
import { openOrderOf } from '../access.ts';
import type { cancelOrder } from '../commands.ts';
import type { Order, OrderEventOf } from '../order.ts';

export function decide(
  command: z.infer<typeof cancelOrder>,
  state: Order,
  { now, version }: Decision,
): OrderEventOf<'order.cancelled'>[] {
  const order = openOrderOf(command, state, version);
  if (order.shipments.length > 0)
    throw refused('order-already-shipped', `Order ${order.orderId} can't be cancelled: part of it is shipped`);
  return [{ type: 'order.cancelled', data: { reason: command.reason, cancelledAt: now } }];
}
