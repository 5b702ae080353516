/** HTTP for whoever pushes events: CloudEvents become commands on stream COMMANDS. */

import { http } from '../../runtime/http.ts';
import { openBus } from '../../runtime/jetstream/connection.ts';
import { send } from '../../runtime/jetstream/publishing.ts';
import { commandIdOf, toHeaders } from '../../runtime/messages/message.ts';
import { openDatabase } from '../../runtime/postgres.ts';
import { openUserClient } from '../../users/client.ts';
import { keptKeySet } from '../../users/kept-keys.ts';
import { authenticateWith } from '../authenticate.ts';
import { openSigningKeys } from '../signing-keys.ts';
import { PUSHED_COMMANDS } from './accepted.ts';
import { eventRoutes, type PublishCommand } from './events.ts';

export default http({
  needs: ['NATS_URL', 'DATABASE_URL', 'DATABASE_CONNECTIONS', 'USER_SERVICE_ADDRESS'],
  publishes: PUSHED_COMMANDS,
  async open(shell) {
    const bus = await openBus(shell);
    const users = openUserClient(shell);
    const database = openDatabase(shell);
    const publish: PublishCommand = async ({ id, type, orderId, data }, { traceparent }) => {
      const source = `/millrace/${shell.name}`;
      const headers = toHeaders({ id, type, source, subject: orderId, time: new Date().toISOString(), traceparent });
      await send(bus, type, JSON.stringify(data), headers, id);
      return commandIdOf({ source, id });
    };
    return {
      publish,
      authenticate: authenticateWith(openSigningKeys(shell, users, () => keptKeySet(database))),
      notReady: () => (bus.connected() ? undefined : 'not connected to NATS'),
    };
  },
  routes: ({ publish }) => eventRoutes(publish),
});
