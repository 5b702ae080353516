/** Order events → e-mails to the customer, each once; and the reminder of a payment, when it is due. */
import { ORDERS, orderEvents } from '../../orders/events.ts';
import { emails } from '../email.ts';
import { orderCancelled } from './order-cancelled.ts';
import { orderConfirmation } from './order-confirmation.ts';
import { orderDelivered } from './order-delivered.ts';
import { orderExpired } from './order-expired.ts';
import { orderExpiringSoon, remindAt } from './order-expiring-soon.ts';
import { orderPaymentFailed } from './order-payment-failed.ts';
import { orderRefunded } from './order-refunded.ts';
import { orderShipped } from './order-shipped.ts';

export default emails({
  stream: ORDERS,
  events: orderEvents,
  templates: {
    'order.created': orderConfirmation,
    'order.payment_failed': orderPaymentFailed,
    'order.expired': orderExpired,
    'order.cancelled': orderCancelled,
    'order.shipped': orderShipped,
    'order.delivered': orderDelivered,
    'order.refunded': orderRefunded,
  },
  reminders: { 'order.created': { template: orderExpiringSoon, at: ({ order }, now) => remindAt(order, now) } },
  about({ order }) {
    const { orderId: id, customerId: recipient, version, status, paymentStatus, fulfilmentStatus } = order;
    return { recipient, order: { id, version, state: { status, paymentStatus, fulfilmentStatus } } };
  },
});
