/** Pure: order.created → the order confirmation. */
import type * as z from 'zod/mini';
import type { orderEvents } from '../../orders/events.ts';
import type { Template } from '../email.ts';
import { money } from '../money.ts';

export const confirmation: Template<z.infer<(typeof orderEvents)['order.created']>> = {
  name: 'order-confirmation',
  userId: ({ order }) => order.customerId,
  write: ({ order }) => ({
    subject: `Your order ${order.orderId}`,
    text: [
      'Thank you for your order.',
      '',
      ...order.lines.map((line) => `${line.quantity} × ${line.name}  ${money(line.totalMinor, order.currency)}`),
      '',
      `Total  ${money(order.totalMinor, order.currency)}`,
    ].join('\n'),
  }),
};
