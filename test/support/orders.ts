/** Example events of orders, as they are published. */
import { randomUUID } from 'node:crypto';
import type { PublicOrder } from '../../functions/orders/events.ts';
import type { Bus } from '../../functions/runtime/jetstream/connection.ts';

export const exampleOrder = (changes: Partial<PublicOrder> = {}): PublicOrder => ({
  orderId: randomUUID(),
  version: 1,
  customerId: randomUUID(),
  status: 'open',
  currency: 'EUR',
  lines: [{ sku: 'mug', name: 'Mug', quantity: 2, unitPriceMinor: 1250, totalMinor: 2500, shippedQuantity: 0 }],
  totalMinor: 2500,
  paymentStatus: 'pending',
  fulfilmentStatus: 'unfulfilled',
  paidMinor: 0,
  refundedMinor: 0,
  paymentDueAt: '2026-11-20T12:30:00.000Z',
  shipments: [],
  shippingCountry: null,
  createdAt: '2026-11-20T12:00:00.000Z',
  ...changes,
});

/** Publishes order.created; the same event id twice is the same event, though the stream holds it twice. */
export const publishCreated = (
  bus: Bus,
  order: object & { orderId: string },
  eventId: string = randomUUID(),
): Promise<number> =>
  bus.publish(
    `order.${order.orderId}.created`,
    JSON.stringify({ order }),
    { 'ce-id': eventId, 'ce-source': '/test' },
    randomUUID(),
  );
