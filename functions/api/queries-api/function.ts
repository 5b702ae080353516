/** HTTP for all that only reads: orders and their history, sales, products, accounts, notifications, the API's document, and the pages of e-mails. */
import { http } from '../../runtime/http.ts';
import { databaseSettings, openDatabase } from '../../runtime/postgres.ts';
import { openUserClient, userServiceSettings } from '../../users/client.ts';
import { keptKeySet } from '../../users/kept-keys.ts';
import { authenticateWith } from '../authenticate.ts';
import { openSigningKeys } from '../signing-keys.ts';
import { documentRoutes } from './document.ts';
import { keyRoutes } from './keys.ts';
import { linkPageRoutes } from './link-pages.ts';
import { notificationRoutes } from './notifications.ts';
import { orderRoutes } from './orders.ts';
import { productRoutes } from './products.ts';
import { salesRoutes } from './sales.ts';
import { userRoutes } from './users.ts';
import { webhookRoutes } from './webhooks.ts';

export default http({
  settings: { ...databaseSettings, ...userServiceSettings },
  async open(shell) {
    const users = openUserClient(shell);
    const database = openDatabase(shell);
    const signingKeys = openSigningKeys(shell, users, () => keptKeySet(database));
    return {
      users,
      signingKeys,
      database,
      authenticate: authenticateWith(signingKeys),
      notReady: () => undefined,
    };
  },
  routes: ({ users, signingKeys, database }) => [
    ...productRoutes(database),
    ...userRoutes(users),
    ...orderRoutes(database),
    ...salesRoutes(database),
    ...notificationRoutes(database),
    ...webhookRoutes(database),
    ...keyRoutes(signingKeys),
    ...linkPageRoutes(),
    ...documentRoutes(),
  ],
});
