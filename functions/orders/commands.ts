/** Commands of orders as they travel on stream COMMANDS: schemas, shared by senders and handlers. */
import * as z from 'zod/mini';
import { sku } from './products.ts';

const orderLine = z.strictObject({
  sku,
  quantity: z.int().check(z.minimum(1), z.maximum(999)),
});

export const orderRequest = z.strictObject({
  lines: z.array(orderLine).check(z.minLength(1), z.maxLength(100)),
  /** ISO 3166-1 alpha-2. */
  shippingCountry: z.optional(z.string().check(z.regex(/^[A-Z]{2}$/, 'must be an ISO 3166 code such as NL'))),
});

export const CREATE_ORDER = 'command.order.create';

/** Without an orderId the order takes the command's own id. */
export const createOrder = z.extend(orderRequest, {
  orderId: z.optional(z.uuid()),
  customerId: z.uuid(),
});
