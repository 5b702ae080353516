/**
 * The events that may be pushed. A pushed command does what its sender could do by HTTP, and nothing more. Facts such as
 * `order.paid` are not taken: only the shop knows what has happened, and of a forged one read models and e-mails would lie.
 */
import * as z from 'zod/mini';
import { CANCEL_ORDER, CREATE_ORDER, DELIVER_ORDER, orderId, REFUND_ORDER, SHIP_ORDER } from '../../orders/commands.ts';
import { attributes, MOST_EVENTS } from '../../runtime/cloud-event.ts';
import { named } from '../answers.ts';
import { ORDER_COMMANDS } from '../order-commands.ts';

const createOrder = named(
  z.object({
    ...attributes,
    type: z.literal(CREATE_ORDER),
    subject: z.optional(z.string()),
    data: ORDER_COMMANDS[CREATE_ORDER].body,
  }),
  'CreateOrderEvent',
  'The sender orders. The order takes an id of its own; `subject` means nothing.',
);

const onOrder = <Type extends keyof typeof ORDER_COMMANDS>(type: Type, id: string, description: string) =>
  named(
    z.object({ ...attributes, type: z.literal(type), subject: orderId, data: ORDER_COMMANDS[type].body }),
    id,
    `${description} \`subject\` is the order.`,
  );

/** Type → schema of the event; its type is also the subject in JetStream. A payment is none: its token is for one call. */
const ACCEPTED = {
  [CREATE_ORDER]: createOrder,
  [SHIP_ORDER]: onOrder(SHIP_ORDER, 'ShipOrderEvent', 'Ships all of an order, or some of its lines.'),
  [DELIVER_ORDER]: onOrder(DELIVER_ORDER, 'DeliverOrderEvent', 'Notes that a shipment has arrived.'),
  [CANCEL_ORDER]: onOrder(CANCEL_ORDER, 'CancelOrderEvent', 'Cancels an order of which nothing has been shipped.'),
  [REFUND_ORDER]: onOrder(REFUND_ORDER, 'RefundOrderEvent', 'Gives back all that was paid, or a part of it.'),
};

/** Types of the commands that pushed events become. */
export const PUSHED_COMMANDS: readonly string[] = Object.keys(ACCEPTED);

const { [CREATE_ORDER]: first, ...others } = ACCEPTED;

export const pushedEvent = z.discriminatedUnion('type', [first, ...Object.values(others)], {
  error: ({ code }) => (code === 'invalid_union' ? `must be one of ${Object.keys(ACCEPTED).join(', ')}` : undefined),
});
export type PushedEvent = z.infer<typeof pushedEvent>;

export const pushedBatch = z.array(pushedEvent).check(z.maxLength(MOST_EVENTS));
