/** HTTP for whoever pushes events: CloudEvents become commands on stream COMMANDS. */
import { commandIdOf, natsSettings, openBus, send, toHeaders } from '../../runtime/bus.ts';
import { http } from '../../runtime/http.ts';
import { databaseSettings, openDatabase } from '../../runtime/postgres.ts';
import { openUserClient, userServiceSettings } from '../../users/client.ts';
import { keptKeySet } from '../../users/kept-keys.ts';
import { authenticateWith } from '../authenticate.ts';
import { openSigningKeys } from '../signing-keys.ts';
import { PUSHED_COMMANDS } from './accepted.ts';
import { eventRoutes, type PublishCommand } from './events.ts';

export default http({
  settings: { ...natsSettings, ...databaseSettings, ...userServiceSettings },
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
