/** Pure: a parcel of a paid order → order.shipped, whole or in part. */
import type * as z from 'zod/mini';
import type { Decision } from '../../runtime/command.ts';
import { refused } from '../../runtime/errors.ts';
import { openOrderOf } from '../access.ts';
import type { shipOrder } from '../commands.ts';
import { type Order, type OrderEventOf, type Pieces, paymentStatus, unshipped } from '../order.ts';

/** Every event carries the shipments so far, and must fit into a message. */
const MOST_SHIPMENTS = 20;

function refuseTooMuch(wanted: readonly Pieces[], left: readonly Pieces[]): void {
  wanted.forEach(({ sku, quantity }, index) => {
    const rest = left.find((line) => line.sku === sku)?.quantity ?? 0;
    const repeated = wanted.findIndex((line) => line.sku === sku) < index;
    if (repeated || quantity > rest)
      throw refused('not-so-many-left', `${rest} of '${sku}' are left to ship`, [
        {
          field: `lines[${index}]`,
          message: repeated ? 'is there already; add up the quantities' : `is more than ${rest}`,
        },
      ]);
  });
}

export function decide(
  command: z.infer<typeof shipOrder>,
  state: Order,
  { now, version, commandId }: Decision,
): OrderEventOf<'order.shipped'>[] {
  const order = openOrderOf(command, state, version);
  const left = unshipped(order);
  if (left.length === 0) throw refused('order-already-shipped', `Order ${order.orderId} is shipped`);
  const payment = paymentStatus(order);
  if (payment !== 'paid' && payment !== 'partially_refunded')
    throw refused('order-not-paid', `Order ${order.orderId} can't be shipped: its payment is ${payment}`);
  if (order.shipments.length >= MOST_SHIPMENTS)
    throw refused('too-many-shipments', `An order has at most ${MOST_SHIPMENTS} shipments`);
  const lines = command.lines ?? left;
  refuseTooMuch(lines, left);
  const { carrier, trackingNumber } = command;
  return [{ type: 'order.shipped', data: { shipmentId: commandId, carrier, trackingNumber, lines, shippedAt: now } }];
}
