/** The order: its stored events, the state that they make, and its public form. Pure. */
import type { Aggregate } from '../runtime/event-store.ts';
import type { PublicOrder } from './events.ts';

export type OrderLine = PublicOrder['lines'][number];

export type OrderEvent = {
  readonly type: 'order.created';
  readonly data: {
    readonly orderId: string;
    readonly customerId: string;
    readonly currency: string;
    readonly lines: readonly OrderLine[];
    readonly totalMinor: number;
    readonly shippingCountry: string | null;
    readonly createdAt: string;
  };
};

export type Order = { readonly status: 'none' } | ({ readonly status: 'open' } & OrderEvent['data']);

function evolve(_order: Order, event: OrderEvent): Order {
  switch (event.type) {
    case 'order.created':
      return { status: 'open', ...event.data };
  }
}

function publish(order: Order, version: number): PublicOrder {
  if (order.status === 'none') throw new Error('an order without events has no public form');
  return { ...order, lines: [...order.lines], version };
}

export const orders: Aggregate<Order, OrderEvent> = { name: 'order', initial: { status: 'none' }, evolve, publish };
