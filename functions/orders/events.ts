/** Published events of orders: what every subscriber may rely on. Fields may be added, never changed or removed. */
import * as z from 'zod/mini';

const amountMinor = z.int().check(z.nonnegative());
const pieces = z.object({ sku: z.string(), quantity: z.int().check(z.positive()) });
const time = z.iso.datetime();

const paymentStatus = z.enum(['pending', 'paid', 'failed', 'partially_refunded', 'refunded']);
export type PaymentStatus = z.infer<typeof paymentStatus>;
const fulfilmentStatus = z.enum(['unfulfilled', 'partially_shipped', 'shipped', 'delivered']);
export type FulfilmentStatus = z.infer<typeof fulfilmentStatus>;

const parcel = {
  shipmentId: z.uuid(),
  carrier: z.string(),
  trackingNumber: z.string(),
  lines: z.array(pieces),
  shippedAt: time,
};
const shipment = z.object({ ...parcel, deliveredAt: z.nullable(time) });

/**
 * The order as it stands after an event. Amounts are integer minor units of `currency` (ISO 4217), times RFC 3339 in UTC.
 * Fields with a default came later: the first events do not have them.
 */
export const publicOrder = z.object({
  orderId: z.uuid(),
  version: z.int().check(z.positive()),
  customerId: z.uuid(),
  status: z.enum(['open', 'completed', 'cancelled', 'expired']),
  paymentStatus: z._default(paymentStatus, 'pending'),
  fulfilmentStatus: z._default(fulfilmentStatus, 'unfulfilled'),
  currency: z.string().check(z.regex(/^[A-Z]{3}$/)),
  lines: z.array(
    z.object({
      sku: z.string(),
      name: z.string(),
      quantity: z.int(),
      unitPriceMinor: amountMinor,
      totalMinor: amountMinor,
      shippedQuantity: z._default(z.int(), 0),
    }),
  ),
  totalMinor: amountMinor,
  paidMinor: z._default(amountMinor, 0),
  refundedMinor: z._default(amountMinor, 0),
  shippingCountry: z.nullable(z.string()),
  createdAt: time,
  /** When an unpaid order expires; null when there is nothing to pay. */
  paymentDueAt: z._default(z.nullable(time), null),
  shipments: z._default(z.array(shipment), []),
});

export type PublicOrder = z.infer<typeof publicOrder>;

/** Stream that carries the events, on subjects `order.<orderId>.<what happened>`. */
export const ORDERS = 'ORDERS';

/** Type of an event → schema of its data: what changed, and the order after it. */
export const orderEvents = {
  'order.created': z.object({ order: publicOrder }),
  'order.paid': z.object({ order: publicOrder, paymentId: z.uuid(), amountMinor, paidAt: time }),
  'order.payment_failed': z.object({ order: publicOrder, paymentId: z.uuid(), reason: z.string(), failedAt: time }),
  'order.shipped': z.object({ order: publicOrder, ...parcel }),
  'order.delivered': z.object({ order: publicOrder, shipmentId: z.uuid(), deliveredAt: time }),
  'order.cancelled': z.object({ order: publicOrder, reason: z.string(), cancelledAt: time }),
  'order.expired': z.object({ order: publicOrder, expiredAt: time }),
  'order.refunded': z.object({
    order: publicOrder,
    refundId: z.uuid(),
    amountMinor,
    reason: z.string(),
    refundedAt: time,
  }),
} as const;
