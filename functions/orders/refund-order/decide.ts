/** Pure: how much of an order's payment may go back; and, given back → order.refunded. */
import type * as z from 'zod/mini';
import type { Decision } from '../../runtime/command.ts';
import { refused } from '../../runtime/errors.ts';
import { orderOf } from '../access.ts';
import type { refundOrder } from '../commands.ts';
import type { Order, OrderEventOf } from '../order.ts';

/** What is to be given back; throws the rule that forbids it. */
export function refundable(
  command: z.infer<typeof refundOrder>,
  state: Order,
  version: number,
): { readonly amountMinor: number; readonly currency: string } {
  const order = orderOf(command, state, version);
  const left = order.paidMinor - order.refundedMinor;
  if (order.paidMinor === 0) throw refused('order-not-paid', `Order ${order.orderId} is not paid`);
  if (left === 0) throw refused('order-already-refunded', `Order ${order.orderId} is refunded`);
  const amountMinor = command.amountMinor ?? left;
  if (amountMinor > left)
    throw refused('refund-too-large', `At most ${left} can be refunded`, [
      { field: 'amountMinor', message: `is more than ${left}` },
    ]);
  return { amountMinor, currency: order.currency };
}

export function decide(
  command: z.infer<typeof refundOrder>,
  state: Order,
  { now, commandId, performed }: Decision<null, { readonly amountMinor: number }>,
): OrderEventOf<'order.refunded'>[] {
  orderOf(command, state);
  const { amountMinor } = performed;
  return [
    { type: 'order.refunded', data: { refundId: commandId, amountMinor, reason: command.reason, refundedAt: now } },
  ];
}
