/** gRPC UserService: users, passwords, access tokens → user.created. Serves while NATS is away. */
import { UserServiceService } from '../../gen/millrace/users/v1/users.ts';
import { offer } from '../../runtime/grpc.ts';
import { openDatabase } from '../../runtime/postgres.ts';
import { service } from '../../runtime/service.ts';
import { toWireRole, toWireUser } from '../user.ts';
import { openAccounts } from './accounts.ts';
import { openAnnouncer } from './announcer.ts';
import { openPasswords } from './passwords.ts';
import { LIFETIME_SECONDS, openTokens } from './tokens.ts';

export default service({
  needs: ['DATABASE_URL', 'DATABASE_CONNECTIONS', 'NATS_URL', 'SIGNING_KEY_FILE'],
  async open(shell) {
    const tokens = await openTokens(shell.settings.SIGNING_KEY_FILE);
    const database = openDatabase(shell);
    const announcer = openAnnouncer(shell, database);
    const accounts = openAccounts(database, openPasswords(), announcer.announce);

    const offers = offer(UserServiceService, {
      createUser: async (request, { trace }) => toWireUser(await accounts.create(request, trace)),
      async authenticate(request) {
        const user = await accounts.authenticate(request);
        const accessToken = await tokens.issue(user);
        return { accessToken, expiresInSeconds: LIFETIME_SECONDS, user: toWireUser(user) };
      },
      getUser: async ({ userId }) => toWireUser(await accounts.get(userId)),
      async validateToken({ accessToken }) {
        const { userId, role, expiresAt } = await tokens.validate(accessToken);
        return { userId, role: toWireRole(role), expiresAt };
      },
    });
    const notReady = () =>
      database.query('select 1').then(
        () => undefined,
        () => 'Postgres does not answer',
      );
    return { offers, notReady, settle: announcer.settle };
  },
});
