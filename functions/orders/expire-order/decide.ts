/** Pure: an open order whose payment is overdue → order.expired. */
import type * as z from 'zod/mini';
import type { Decision } from '../../runtime/command.ts';
import { AppError, refused } from '../../runtime/errors.ts';
import { openOrderOf } from '../access.ts';
import type { expireOrder } from '../commands.ts';
import type { Order, OrderEventOf } from '../order.ts';

export function decide(
  command: z.infer<typeof expireOrder>,
  state: Order,
  { now, version }: Decision,
): OrderEventOf<'order.expired'>[] {
  const order = openOrderOf(command, state, version);
  if (order.paymentDueAt === null || order.paidMinor > 0)
    throw refused('order-already-paid', `Order ${order.orderId} has nothing left to pay`);
  const earlyMs = Date.parse(order.paymentDueAt) - Date.parse(now);
  // Clocks differ, and there is no second timer: one that fires early waits for the rest of the time.
  if (earlyMs > 0)
    throw new AppError('unavailable', 'payment-not-due', `The payment is not due before ${order.paymentDueAt}`, {
      retryAfterMs: earlyMs,
    });
  return [{ type: 'order.expired', data: { expiredAt: now } }];
}
