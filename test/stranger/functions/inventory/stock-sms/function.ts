/** inventory.reserved → an SMS to the storekeeper, once an event. */
import { notifier } from '../../runtime/notifier.ts';
import { outbound } from '../../runtime/outbound.ts';
import { setting, url } from '../../runtime/settings.ts';
import { INVENTORY, inventoryEvents } from '../events.ts';
import { notifications, textOf } from './message.ts';

export default notifier({
  stream: INVENTORY,
  accepts: { 'inventory.reserved': inventoryEvents['inventory.reserved'] },
  channel: 'sms',
  settings: { SMS_URL: setting('Where SMS are posted', url('http:', 'https:')) },
  outbound: [{ host: 'sms.example', ports: [443] }],
  notifications: ({ data }) => notifications(data),
  open(shell) {
    const { request } = outbound(shell, { name: 'sms-gateway', base: shell.settings.SMS_URL });
    return {
      async deliver({ key, recipient, event }) {
        const body = JSON.stringify({ to: recipient, text: textOf(event.data) });
        await request('messages', { method: 'POST', headers: { 'idempotency-key': key }, body });
        return { status: 'sent' };
      },
    };
  },
});
