/** Pure: a shipment has arrived → order.delivered; the last one completes the order. */
import type * as z from 'zod/mini';
import type { Decision } from '../../runtime/command.ts';
import { notFound, refused } from '../../runtime/errors.ts';
import { orderOf } from '../access.ts';
import type { deliverOrder } from '../commands.ts';
import type { Order, OrderEventOf } from '../order.ts';

export function decide(
  command: z.infer<typeof deliverOrder>,
  state: Order,
  { now, version }: Decision,
): OrderEventOf<'order.delivered'>[] {
  const { shipments } = orderOf(command, state, version);
  const shipment = shipments.find(({ shipmentId }) => shipmentId === command.shipmentId);
  if (!shipment) throw notFound('shipment-not-found', `The order has no shipment ${command.shipmentId}`);
  if (shipment.deliveredAt)
    throw refused(
      'shipment-already-delivered',
      `Shipment ${shipment.shipmentId} was delivered at ${shipment.deliveredAt}`,
    );
  return [{ type: 'order.delivered', data: { shipmentId: shipment.shipmentId, deliveredAt: now } }];
}
