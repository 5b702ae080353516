/** Outbox rows that their process did not publish → JetStream; woken by the count of such rows. */
import { relay } from '../../runtime/relay.ts';

export default relay();
