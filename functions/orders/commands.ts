/** Commands of orders as they travel on stream COMMANDS: schemas, shared by senders and handlers. */
import * as z from 'zod/mini';
import { plainText } from '../runtime/schema.ts';
import { sku } from './products.ts';

const quantity = z.int().check(z.minimum(1), z.maximum(999));
const pieces = z.array(z.strictObject({ sku, quantity })).check(z.minLength(1), z.maxLength(100));

/** Who gives a command. Whoever may publish to COMMANDS directly speaks for the shop itself. */
const actor = z.strictObject({ userId: z.string(), role: z.enum(['customer', 'staff', 'system']) });
export type Actor = z.infer<typeof actor>;
const SYSTEM: Actor = { userId: 'system', role: 'system' };

/** In one spelling: it is compared, and a part of subjects. */
const uuid = z.uuid().check(z.toLowerCase());
export const orderId = uuid;

const addressed = {
  orderId,
  actor: z._default(actor, SYSTEM),
  /** The version that the sender has seen: the command is refused when the order has changed since. */
  expectedVersion: z.optional(z.int().check(z.minimum(1))),
};

export const orderRequest = z.strictObject({
  lines: pieces,
  /** ISO 3166-1 alpha-2. */
  shippingCountry: z.optional(z.string().check(z.regex(/^[A-Z]{2}$/, 'must be an ISO 3166 code such as NL'))),
});
export const paymentRequest = z.strictObject({ token: plainText(200) });
export const shipmentRequest = z.strictObject({
  carrier: plainText(60),
  trackingNumber: plainText(60),
  /** What is in the parcel; without it, all that is left. */
  lines: z.optional(pieces),
});
export const deliveryRequest = z.strictObject({ shipmentId: z.uuid() });
export const cancellationRequest = z.strictObject({ reason: z._default(plainText(200), 'requested') });
export const refundRequest = z.strictObject({
  /** Minor units; without it, all that is left. */
  amountMinor: z.optional(z.int().check(z.minimum(1))),
  reason: z._default(plainText(200), 'requested'),
});

export const CREATE_ORDER = 'command.order.create';
export const PAY_ORDER = 'command.order.pay';
export const SHIP_ORDER = 'command.order.ship';
export const DELIVER_ORDER = 'command.order.deliver';
export const CANCEL_ORDER = 'command.order.cancel';
export const EXPIRE_ORDER = 'command.order.expire';
export const REFUND_ORDER = 'command.order.refund';

/** Without an orderId the order takes the command's own id. */
export const createOrder = z.extend(orderRequest, { orderId: z.optional(orderId), customerId: uuid });
export const payOrder = z.extend(paymentRequest, addressed);
export const shipOrder = z.extend(shipmentRequest, addressed);
export const deliverOrder = z.extend(deliveryRequest, addressed);
export const cancelOrder = z.extend(cancellationRequest, addressed);
export const expireOrder = z.strictObject(addressed);
export const refundOrder = z.extend(refundRequest, addressed);
