/** order.shipped → a text message to the customer, once. */
import { ORDERS, orderEvents } from '../../../functions/orders/events.ts';
import { notifier } from '../../../functions/runtime/notifier.ts';
import { outbound } from '../../../functions/runtime/outbound.ts';
import { setting, url } from '../../../functions/runtime/settings.ts';

export default notifier({
  stream: ORDERS,
  accepts: { 'order.shipped': orderEvents['order.shipped'] },
  channel: 'sms',
  settings: { SMS_URL: setting('The gateway of text messages', url('https:', 'http:')) },
  outbound: [{ host: 'sms.example', ports: [443] }],
  notifications: ({ data }) => [{ template: 'shipped', recipient: data.order.customerId }],
  open(shell) {
    const { request } = outbound(shell, { name: 'sms-gateway', base: shell.settings.SMS_URL });
    return {
      async deliver({ recipient, key, event }) {
        const body = JSON.stringify({ to: recipient, text: `${event.data.carrier} has your parcel` });
        await request('messages', { method: 'POST', headers: { 'idempotency-key': key }, body });
        return { status: 'sent' };
      },
    };
  },
});
