/** HTTP for all that changes something: users and sessions go to user-service, orders become commands, notifications are sent again. */
import { webhookTargetSettings } from '../../notifications/webhook-endpoints.ts';
import { natsSettings, openBus } from '../../runtime/bus.ts';
import { openCommandSender } from '../../runtime/command-sender.ts';
import { http } from '../../runtime/http.ts';
import { databaseSettings, openDatabase } from '../../runtime/postgres.ts';
import { openUserClient, userServiceSettings } from '../../users/client.ts';
import { keptKeySet } from '../../users/kept-keys.ts';
import { authenticateWith } from '../authenticate.ts';
import { openSigningKeys } from '../signing-keys.ts';
import { notificationRoutes } from './notifications.ts';
import { orderRoutes, SENT_COMMANDS } from './orders.ts';
import { passwordRoutes } from './passwords.ts';
import { productRoutes } from './products.ts';
import { sessionRoutes } from './sessions.ts';
import { userRoutes } from './users.ts';
import { webhookRoutes } from './webhooks.ts';

export default http({
  settings: { ...natsSettings, ...databaseSettings, ...userServiceSettings, ...webhookTargetSettings },
  publishes: SENT_COMMANDS,
  // To make a notification again, or a delivery.
  tasksTo: ['notifier'],
  async open(shell) {
    const bus = await openBus(shell);
    const users = openUserClient(shell);
    const database = openDatabase(shell);
    return {
      bus,
      allowed: { loopback: shell.settings.WEBHOOK_ALLOW_LOOPBACK === 'true' },
      users,
      sendCommand: openCommandSender(shell, bus),
      database,
      authenticate: authenticateWith(openSigningKeys(shell, users, () => keptKeySet(database))),
      notReady: () => (bus.connected() ? undefined : 'not connected to NATS'),
    };
  },
  routes: ({ bus, allowed, users, sendCommand, database }) => [
    ...userRoutes(users),
    ...sessionRoutes(users),
    ...passwordRoutes(users),
    ...orderRoutes(sendCommand),
    ...productRoutes(database),
    ...notificationRoutes(bus, database),
    ...webhookRoutes(database, bus, allowed),
  ],
});
