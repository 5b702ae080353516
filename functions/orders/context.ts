/** Orders: event-sourced, from the cart's last click to the delivered parcel; products, stock and payments. */
import { context } from '../runtime/context.ts';
import { ORDERS, orderEvents } from './events.ts';
import { orders } from './order.ts';
import { storedEvents, storedOrder } from './stored-events.ts';

export default context({
  stream: { name: ORDERS, description: 'the log of order events, kept for ever' },
  events: orderEvents,
  aggregates: [{ aggregate: orders, storedEvents, state: storedOrder }],
  tables: {
    order_events: { 'queries-api': 'select' },
    order_snapshots: {},
    order_view: { 'queries-api': 'select' },
    sales_view: { 'queries-api': 'select' },
    products: {
      'commands-api': 'select, insert, update',
      'queries-api': 'select',
      command: 'select, update (stock, updated_at)',
    },
    payments: { command: 'select, insert, update (status)' },
    provider_ledger: { command: 'select, insert' },
  },
  exports: ['events.ts', 'commands.ts', 'client.ts', 'products.ts'],
});
