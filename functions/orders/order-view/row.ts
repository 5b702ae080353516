/** An order as its newest event shows it → its row in order_view. Pure. */
import type { PublicOrder } from '../events.ts';

export const rowOf = ({ order }: { readonly order: PublicOrder }) => ({
  order_id: order.orderId,
  version: order.version,
  customer_id: order.customerId,
  status: order.status,
  created_at: order.createdAt,
  order,
});
