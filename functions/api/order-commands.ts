/** Commands on orders that come from outside, by HTTP or as pushed events: what each says, and the role that it takes. */
import type * as z from 'zod/mini';
import {
  CANCEL_ORDER,
  CREATE_ORDER,
  cancellationRequest,
  DELIVER_ORDER,
  deliveryRequest,
  orderRequest,
  PAY_ORDER,
  paymentRequest,
  REFUND_ORDER,
  refundRequest,
  SHIP_ORDER,
  shipmentRequest,
} from '../orders/commands.ts';

type OrderCommand =
  | typeof CREATE_ORDER
  | typeof PAY_ORDER
  | typeof CANCEL_ORDER
  | typeof SHIP_ORDER
  | typeof DELIVER_ORDER
  | typeof REFUND_ORDER;

type FromOutside = {
  /** Without who gives the command, and to which order: those are known otherwise. */
  readonly body: z.ZodMiniType<object>;
  /** Without it, anybody who is signed in may give the command, for orders of their own. */
  readonly role?: 'staff';
};

export const ORDER_COMMANDS: Readonly<Record<OrderCommand, FromOutside>> = {
  [CREATE_ORDER]: { body: orderRequest },
  [PAY_ORDER]: { body: paymentRequest },
  [CANCEL_ORDER]: { body: cancellationRequest },
  [SHIP_ORDER]: { body: shipmentRequest, role: 'staff' },
  [DELIVER_ORDER]: { body: deliveryRequest, role: 'staff' },
  [REFUND_ORDER]: { body: refundRequest, role: 'staff' },
};
