/** inventory.reserved → an SMS to the storekeeper, once an event. */
import { notifier } from '../../runtime/notifier.ts';
import { outbound } from '../../runtime/outbound.ts';
import { setting, url } from '../../runtime/settings.ts';
import { INVENTORY, inventoryEvents } from '../events.ts';
import { notifications, textOf } from './message.ts';

export default notifier({
  stream: INVENTORY,
  channel: 'sms',
  accepts: { 'inventory.reserved': inventoryEvents['inventory.reserved'] },
  settings: { SMS_URL: setting('Where SMS are posted', url('http:', 'https:')) },
  outbound: [{ host: '*', ports: [443] }],
  notifications: ({ data }) => notifications(data),
  open(shell) {
    const { request } = outbound(shell, { name: 'sms', loopback: true });
    return {
      async deliver({ key, recipient, event }) {
        const body = JSON.stringify({ key, to: recipient, text: textOf(event.data) });
        await request(shell.settings.SMS_URL, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        });
        return { status: 'sent' };
      },
    };
  },
});
