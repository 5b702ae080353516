/** Published events of orders: what every subscriber may rely on. Fields may be added, never changed or removed. */
import * as z from 'zod/mini';

/** The order as it stands after an event. Amounts are integer minor units of `currency` (ISO 4217). */
export const publicOrder = z.object({
  orderId: z.uuid(),
  version: z.int().check(z.positive()),
  customerId: z.uuid(),
  status: z.literal('open'),
  currency: z.string().check(z.regex(/^[A-Z]{3}$/)),
  lines: z.array(
    z.object({ sku: z.string(), name: z.string(), quantity: z.int(), unitPriceMinor: z.int(), totalMinor: z.int() }),
  ),
  totalMinor: z.int(),
  shippingCountry: z.nullable(z.string()),
  createdAt: z.iso.datetime(),
});

export type PublicOrder = z.infer<typeof publicOrder>;

/** Stream that carries the events, on subjects `order.<orderId>.<what happened>`. */
export const ORDERS = 'ORDERS';

/** Type of an event → schema of its data. */
export const orderEvents = {
  'order.created': z.object({ order: publicOrder }),
} as const;
