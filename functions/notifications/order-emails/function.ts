/** Order events → e-mails to the customer, each once. */
import { ORDERS, orderEvents } from '../../orders/events.ts';
import { emails } from '../email.ts';
import { confirmation } from './confirmation.ts';

export default emails({
  stream: ORDERS,
  events: orderEvents,
  templates: { 'order.created': confirmation },
});
