/** An order event → what it adds to the day it happened on (UTC). Pure. */
import type * as z from 'zod/mini';
import type { orderEvents } from '../events.ts';

/** Types of the events that change what a day sold. */
type SaleType = 'order.created' | 'order.paid' | 'order.refunded';
export type SaleEvent = {
  [Type in SaleType]: { readonly type: Type; readonly data: z.infer<(typeof orderEvents)[Type]> };
}[SaleType];

const NOTHING = { orders: 0, revenue_minor: 0, refunds: 0, refunded_minor: 0 };

const dayOf = (time: string): string => new Date(time).toISOString().slice(0, 10);

function sums(event: SaleEvent) {
  switch (event.type) {
    case 'order.created':
      return { ...NOTHING, day: dayOf(event.data.order.createdAt), orders: 1 };
    case 'order.paid':
      return { ...NOTHING, day: dayOf(event.data.paidAt), revenue_minor: event.data.amountMinor };
    case 'order.refunded':
      return { ...NOTHING, day: dayOf(event.data.refundedAt), refunds: 1, refunded_minor: event.data.amountMinor };
  }
}

/** The row of the event: its order and version name it, so that a repeat is the same row. */
export const saleOf = (event: SaleEvent) => {
  const { orderId, version, currency } = event.data.order;
  return { order_id: orderId, version, currency, ...sums(event) };
};
