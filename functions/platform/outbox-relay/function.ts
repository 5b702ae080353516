/** Outbox rows that their process did not publish → JetStream; woken by the count of such rows. */
import { orderEvents } from '../../orders/events.ts';
import { relay } from '../../runtime/relay.ts';
import { userEvents } from '../../users/events.ts';

export default relay([...Object.keys(orderEvents), ...Object.keys(userEvents)]);
