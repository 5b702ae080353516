/** Pure: may this order be paid; and what the provider said → order.paid or order.payment_failed. */
import type * as z from 'zod/mini';
import type { Decision } from '../../runtime/command.ts';
import { refused } from '../../runtime/errors.ts';
import { openOrderOf, orderOf } from '../access.ts';
import type { payOrder } from '../commands.ts';
import { type ExistingOrder, type Order, type OrderEventOf, paymentStatus } from '../order.ts';

const MOST_ATTEMPTS = 3;

/** What came of an attempt to charge the amount. */
export type Charge = { readonly amountMinor: number } & (
  | { readonly status: 'succeeded' }
  | { readonly status: 'declined'; readonly reason: string }
);

/** The order, if it may be charged now; throws the rule that forbids it. */
export function payableOrder(command: z.infer<typeof payOrder>, state: Order, version: number): ExistingOrder {
  const order = openOrderOf(command, state, version);
  const payment = paymentStatus(order);
  if (payment !== 'pending' && payment !== 'failed')
    throw refused('order-already-paid', `Order ${order.orderId} has nothing left to pay: its payment is ${payment}`);
  if (order.failedPayments >= MOST_ATTEMPTS)
    throw refused(
      'too-many-payments',
      `${MOST_ATTEMPTS} payments of order ${order.orderId} have failed; it can't be paid any more`,
    );
  return order;
}

/**
 * What the provider has done is always told, even when the order has expired or been cancelled meanwhile:
 * refund-cancelled gives back what was taken.
 */
export function decide(
  command: z.infer<typeof payOrder>,
  state: Order,
  { now, commandId, performed }: Decision<null, Charge>,
): OrderEventOf<'order.paid' | 'order.payment_failed'>[] {
  orderOf(command, state);
  if (performed.status === 'succeeded')
    return [{ type: 'order.paid', data: { paymentId: commandId, amountMinor: performed.amountMinor, paidAt: now } }];
  return [{ type: 'order.payment_failed', data: { paymentId: commandId, reason: performed.reason, failedAt: now } }];
}
