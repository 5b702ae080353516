/** The order: its stored events, the state that they make, and its public form. Pure. */
import type { Aggregate } from '../runtime/aggregate.ts';
import type { FulfilmentStatus, PaymentStatus, PublicOrder } from './events.ts';

export type Line = {
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
  readonly unitPriceMinor: number;
  readonly totalMinor: number;
};

export type Pieces = { readonly sku: string; readonly quantity: number };

export type Shipment = {
  readonly shipmentId: string;
  readonly carrier: string;
  readonly trackingNumber: string;
  readonly lines: readonly Pieces[];
  readonly shippedAt: string;
  readonly deliveredAt: string | null;
};

/** What an order is created with. `paymentDueAt` is null when there is nothing to pay. */
type Created = {
  readonly orderId: string;
  readonly customerId: string;
  readonly currency: string;
  readonly lines: readonly Line[];
  readonly totalMinor: number;
  readonly shippingCountry: string | null;
  readonly createdAt: string;
  readonly paymentDueAt: string | null;
};

export type OrderEvent =
  | { readonly type: 'order.created'; readonly data: Created }
  | { readonly type: 'order.paid'; readonly data: { paymentId: string; amountMinor: number; paidAt: string } }
  | { readonly type: 'order.payment_failed'; readonly data: { paymentId: string; reason: string; failedAt: string } }
  | { readonly type: 'order.shipped'; readonly data: Omit<Shipment, 'deliveredAt'> }
  | { readonly type: 'order.delivered'; readonly data: { shipmentId: string; deliveredAt: string } }
  | { readonly type: 'order.cancelled'; readonly data: { reason: string; cancelledAt: string } }
  | { readonly type: 'order.expired'; readonly data: { expiredAt: string } }
  | {
      readonly type: 'order.refunded';
      readonly data: { refundId: string; amountMinor: number; reason: string; refundedAt: string };
    };

export type OrderEventOf<Type extends OrderEvent['type']> = Extract<OrderEvent, { readonly type: Type }>;

type Facts = Created & {
  readonly paidMinor: number;
  readonly refundedMinor: number;
  readonly failedPayments: number;
  readonly shipments: readonly Shipment[];
};

export type Order =
  | { readonly status: 'none' }
  | ({ readonly status: 'open' } & Facts)
  | ({ readonly status: 'completed' } & Facts)
  | ({ readonly status: 'cancelled' } & Facts)
  | ({ readonly status: 'expired' } & Facts);

export type ExistingOrder = Exclude<Order, { status: 'none' }>;

/** Pieces of a product that have left the shop. */
export const shippedQuantity = ({ shipments }: Pick<Facts, 'shipments'>, sku: string): number =>
  shipments.flatMap(({ lines }) => lines).reduce((sum, line) => sum + (line.sku === sku ? line.quantity : 0), 0);

export function paymentStatus(order: Facts): PaymentStatus {
  if (order.refundedMinor > 0) return order.refundedMinor === order.paidMinor ? 'refunded' : 'partially_refunded';
  if (order.paidMinor === order.totalMinor) return 'paid';
  return order.failedPayments > 0 ? 'failed' : 'pending';
}

export function fulfilmentStatus(order: Pick<Facts, 'lines' | 'shipments'>): FulfilmentStatus {
  if (order.shipments.length === 0) return 'unfulfilled';
  if (unshipped(order).length > 0) return 'partially_shipped';
  return order.shipments.every(({ deliveredAt }) => deliveredAt !== null) ? 'delivered' : 'shipped';
}

/** Pieces that have not left the shop. */
export const unshipped = (order: Pick<Facts, 'lines' | 'shipments'>): Pieces[] =>
  order.lines
    .map(({ sku, quantity }) => ({ sku, quantity: quantity - shippedQuantity(order, sku) }))
    .filter(({ quantity }) => quantity > 0);

/** Pieces that stock keeps for the order: none when nothing more of it will be shipped. */
export function reserved(order: Order): Pieces[] {
  if (order.status === 'none' || order.status === 'cancelled' || order.status === 'expired') return [];
  return paymentStatus(order) === 'refunded' ? [] : unshipped(order);
}

/** An open order ends when all that will ever be shipped of it has arrived, or when it is given back before a shipment. */
function ended(order: ExistingOrder): ExistingOrder {
  if (order.status !== 'open' || reserved(order).length > 0) return order;
  if (order.shipments.length === 0) return { ...order, status: 'cancelled' };
  return order.shipments.every(({ deliveredAt }) => deliveredAt !== null) ? { ...order, status: 'completed' } : order;
}

const delivered = (shipments: readonly Shipment[], shipmentId: string, deliveredAt: string): Shipment[] =>
  shipments.map((shipment) => (shipment.shipmentId === shipmentId ? { ...shipment, deliveredAt } : shipment));

function change(order: ExistingOrder, event: Exclude<OrderEvent, { type: 'order.created' }>): ExistingOrder {
  switch (event.type) {
    case 'order.paid':
      return { ...order, paidMinor: order.paidMinor + event.data.amountMinor };
    case 'order.payment_failed':
      return { ...order, failedPayments: order.failedPayments + 1 };
    case 'order.shipped':
      return { ...order, shipments: [...order.shipments, { ...event.data, deliveredAt: null }] };
    case 'order.delivered':
      return ended({ ...order, shipments: delivered(order.shipments, event.data.shipmentId, event.data.deliveredAt) });
    case 'order.cancelled':
      return { ...order, status: 'cancelled' };
    case 'order.expired':
      return { ...order, status: 'expired' };
    case 'order.refunded':
      return ended({ ...order, refundedMinor: order.refundedMinor + event.data.amountMinor });
  }
}

function evolve(order: Order, event: OrderEvent): Order {
  if (event.type === 'order.created')
    return { status: 'open', ...event.data, paidMinor: 0, refundedMinor: 0, failedPayments: 0, shipments: [] };
  if (order.status === 'none') throw new Error(`${event.type} before order.created`);
  return change(order, event);
}

function publish(order: Order, version: number): PublicOrder {
  if (order.status === 'none') throw new Error('an order without events has no public form');
  const { failedPayments: _, shipments, lines, ...facts } = order;
  return {
    ...facts,
    version,
    paymentStatus: paymentStatus(order),
    fulfilmentStatus: fulfilmentStatus(order),
    lines: lines.map((line) => ({ ...line, shippedQuantity: shippedQuantity(order, line.sku) })),
    shipments: shipments.map((shipment) => ({ ...shipment, lines: [...shipment.lines] })),
  };
}

/** order.created@1 knew no time limit of payment: such an order never expires. */
const limitless = (data: Omit<Created, 'paymentDueAt'>): Created => ({ ...data, paymentDueAt: null });

export const orders: Aggregate<Order, OrderEvent> = {
  name: 'order',
  initial: { status: 'none' },
  schemaVersion: 1,
  snapshotEvery: 100,
  upcasters: {
    'order.created': [limitless],
    'order.paid': [],
    'order.payment_failed': [],
    'order.shipped': [],
    'order.delivered': [],
    'order.cancelled': [],
    'order.expired': [],
    'order.refunded': [],
  },
  evolve,
  publish,
};
