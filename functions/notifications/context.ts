/** Notifications: e-mails to customers and webhooks to partners, of what other contexts publish. */
import { context } from '../runtime/context.ts';

export default context({
  tables: {
    notifications: {
      'commands-api': 'select, insert, update (resends)',
      'queries-api':
        'select (id, event_id, template, recipient, channel, status, reason, attempts, order_id, resend_of, created_at, sent_at)',
    },
    notified_orders: { notifier: 'select, insert, update' },
    notification_preferences: {
      notifier: 'select',
      'commands-api': 'select, insert, update',
      'queries-api': 'select',
    },
    refused_addresses: { notifier: 'select, insert', 'commands-api': 'select, insert, delete' },
    webhook_endpoints: {
      webhooks: 'select, update (enabled, disabled_reason, updated_at)',
      'commands-api':
        'select, insert, delete, update (url, event_types, description, enabled, disabled_reason, updated_at)',
      'queries-api': 'select',
    },
    // The secrets are for the function that signs with them: who takes requests can store one, and read none.
    webhook_secrets: {
      webhooks: 'select',
      'commands-api': 'select (secret_id, endpoint_id, created_at, expires_at), insert, update (expires_at)',
      'queries-api': 'select (endpoint_id, created_at, expires_at)',
    },
    webhook_deliveries: {
      webhooks:
        'select, insert, delete, update (status, attempts, last_status, last_reason, next_attempt_at, ended_at)',
      'commands-api': 'select, insert, update (status, redelivery, next_attempt_at, ended_at)',
      'queries-api': 'select',
    },
  },
  exports: ['client.ts', 'webhook-endpoints.ts', 'webhook-deliveries.ts'],
});
