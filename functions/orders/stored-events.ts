/** What is stored of orders: events, version by version, the first one first, and states. A schema that was ever written stays as it is: change is a new version. */
import * as z from 'zod/mini';
import type { Order, OrderEvent } from './order.ts';

type Data<Type extends OrderEvent['type']> = Extract<OrderEvent, { readonly type: Type }>['data'];
/** Today's version, the last one, has exactly the type that the code works with. */
type Versions<Today> = readonly [...z.ZodMiniType<object>[], z.ZodMiniType<Today>];

const amountMinor = z.int().check(z.nonnegative());
const quantity = z.int().check(z.positive());
const time = z.iso.datetime();

const created1 = z.strictObject({
  orderId: z.uuid(),
  customerId: z.uuid(),
  currency: z.string(),
  lines: z.array(
    z.strictObject({
      sku: z.string(),
      name: z.string(),
      quantity,
      unitPriceMinor: amountMinor,
      totalMinor: amountMinor,
    }),
  ),
  totalMinor: amountMinor,
  shippingCountry: z.nullable(z.string()),
  createdAt: time,
});
const created2 = z.extend(created1, { paymentDueAt: z.nullable(time) });
const shipped1 = z.strictObject({
  shipmentId: z.uuid(),
  carrier: z.string(),
  trackingNumber: z.string(),
  lines: z.array(z.strictObject({ sku: z.string(), quantity })),
  shippedAt: time,
});

export const storedEvents = {
  'order.created': [created1, created2],
  'order.paid': [z.strictObject({ paymentId: z.uuid(), amountMinor, paidAt: time })],
  'order.payment_failed': [z.strictObject({ paymentId: z.uuid(), reason: z.string(), failedAt: time })],
  'order.shipped': [shipped1],
  'order.delivered': [z.strictObject({ shipmentId: z.uuid(), deliveredAt: time })],
  'order.cancelled': [z.strictObject({ reason: z.string(), cancelledAt: time })],
  'order.expired': [z.strictObject({ expiredAt: time })],
  'order.refunded': [z.strictObject({ refundId: z.uuid(), amountMinor, reason: z.string(), refundedAt: time })],
} satisfies { readonly [Type in OrderEvent['type']]: Versions<Data<Type>> };

/** The state of an order in a snapshot, of the schema version that `orders` names. */
export const storedOrder: z.ZodMiniType<Order> = z.extend(created2, {
  status: z.enum(['open', 'completed', 'cancelled', 'expired']),
  paidMinor: amountMinor,
  refundedMinor: amountMinor,
  failedPayments: z.int().check(z.nonnegative()),
  shipments: z.array(z.extend(shipped1, { deliveredAt: z.nullable(time) })),
});
