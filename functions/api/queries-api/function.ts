/** HTTP for all that only reads: the order view, products, and the caller's own account. */
import { http } from '../../runtime/http.ts';
import { openDatabase } from '../../runtime/postgres.ts';
import { openUserClient } from '../../users/client.ts';
import { authenticateWith } from '../authenticate.ts';
import { queryRoutes } from './routes.ts';

export default http({
  needs: ['DATABASE_URL', 'DATABASE_CONNECTIONS', 'USER_SERVICE_ADDRESS'],
  async open(shell) {
    const users = openUserClient(shell);
    return {
      routes: queryRoutes(openDatabase(shell), users),
      authenticate: authenticateWith(users),
      notReady: () => undefined,
    };
  },
});
