/** HTTP for all that only reads: orders and their history, sales, products, the caller's account, and the API's document. */
import { http } from '../../runtime/http.ts';
import { openDatabase } from '../../runtime/postgres.ts';
import { openUserClient } from '../../users/client.ts';
import { authenticateWith } from '../authenticate.ts';
import { documentRoutes } from './document.ts';
import { orderRoutes } from './orders.ts';
import { salesRoutes } from './sales.ts';
import { shopRoutes } from './shop.ts';

export default http({
  needs: ['DATABASE_URL', 'DATABASE_CONNECTIONS', 'USER_SERVICE_ADDRESS'],
  async open(shell) {
    const users = openUserClient(shell);
    return {
      users,
      database: openDatabase(shell),
      authenticate: authenticateWith(users),
      notReady: () => undefined,
    };
  },
  routes: ({ users, database }) => [
    ...shopRoutes(database, users),
    ...orderRoutes(database),
    ...salesRoutes(database),
    ...documentRoutes(),
  ],
});
