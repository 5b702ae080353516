/** gRPC UserService: users, passwords, sessions, tokens → user.created and what follows. Serves while NATS is away. */
import { UserServiceService } from '../../gen/millrace/users/v1/users.ts';
import { natsSettings } from '../../runtime/bus.ts';
import { type Call, offer } from '../../runtime/grpc.ts';
import { databaseSettings, openDatabase } from '../../runtime/postgres.ts';
import { service } from '../../runtime/service.ts';
import { filePath, integer, setting } from '../../runtime/settings.ts';
import { userEvents } from '../events.ts';
import { toWireRole, toWireUser } from '../user.ts';
import { openAccounts } from './accounts.ts';
import { openAnnouncer } from './announcer.ts';
import { openCallers } from './caller.ts';
import { type Client, clientNetwork } from './client-network.ts';
import { openKeyKeeper } from './key-keeper.ts';
import { openLinks } from './links.ts';
import { listUsers } from './listing.ts';
import { openPasswords } from './passwords.ts';
import { openSessions, type Session } from './sessions.ts';
import { openSignIn } from './sign-in.ts';
import { jwksAt, openSigningKeys } from './signing-keys.ts';
import { openThrottle } from './throttle.ts';
import { LIFETIME_SECONDS, openTokens } from './tokens.ts';

const clientOf = ({ metadata, signal }: Call): Client => ({
  network: clientNetwork(metadata['millrace-client-address']),
  signal,
});

export default service({
  settings: {
    ...databaseSettings,
    ...natsSettings,
    SIGNING_KEY_FILE: setting(
      'File with the keys that sign access tokens, a JWK set; read again when it changes',
      filePath,
    ),
    SIGN_UPS_PER_ADDRESS: setting(
      'New accounts of one client address (IPv6: /64) in 10 minutes at most',
      integer(1, 1_000_000),
      '20',
    ),
  },
  publishes: Object.keys(userEvents),
  async open(shell) {
    const keys = await openSigningKeys(shell);
    const tokens = openTokens(keys);
    const database = openDatabase(shell);
    openKeyKeeper(shell, database, keys);
    const announcer = openAnnouncer(shell, database);
    const sessions = openSessions(database, shell.log);
    const callers = openCallers(tokens, sessions);
    const passwords = openPasswords();
    const throttle = openThrottle(database, shell.settings.SIGN_UPS_PER_ADDRESS);
    const parts = { passwords, sessions, throttle, announce: announcer.announce };
    const accounts = openAccounts(database, parts);
    const signIn = openSignIn(database, parts);
    const links = openLinks(database, parts);

    const tokensOf = async ({ identity, refreshToken, expiresAt }: Session) => ({
      accessToken: await tokens.issue(identity),
      expiresInSeconds: LIFETIME_SECONDS,
      refreshToken,
      sessionExpiresAt: expiresAt,
    });

    const offers = offer(UserServiceService, {
      createUser: async (request, call) => toWireUser(await accounts.create(request, clientOf(call), call.trace)),
      verifyEmail: async ({ token }, { trace }) => toWireUser(await links.verifyEmail(token, trace)),
      async authenticate(request, call) {
        const { user, session } = await signIn.authenticate(request, clientOf(call));
        return { ...(await tokensOf(session)), user: toWireUser(user) };
      },
      refreshToken: async ({ refreshToken }) => tokensOf(await sessions.refresh(refreshToken)),
      async revokeSession({ sessionId }, call) {
        const own = await callers.signedIn(call);
        // One's current session may have ended before: whoever signs out twice is signed out.
        if (sessionId && sessionId !== own.sessionId) await callers.user(call);
        await sessions.revoke(own.userId, sessionId || own.sessionId);
        return {};
      },
      async validateToken({ accessToken }) {
        const { userId, role, sessionId, expiresAt } = await tokens.verify(accessToken);
        await sessions.check({ userId, role, sessionId });
        return { userId, role: toWireRole(role), sessionId, expiresAt };
      },
      getSigningKeys: async () => ({ jwks: jwksAt(keys(), new Date()) }),
      getUser: async ({ userId }, call) => toWireUser(await accounts.get(userId, await callers.userOrReader(call))),
      async batchGetUsers({ userIds }, call) {
        callers.reader(call);
        return { users: (await accounts.getMany(userIds)).map(toWireUser) };
      },
      async listUsers(request, call) {
        await callers.staff(call);
        const { users, nextPageToken } = await listUsers(database, request);
        return { users: users.map(toWireUser), nextPageToken };
      },
      async updateUser({ name }, call) {
        const { userId } = await callers.user(call);
        return toWireUser(await accounts.rename(userId, name));
      },
      async changePassword(request, call) {
        await signIn.changePassword(await callers.user(call), request, clientOf(call), call.trace);
        return {};
      },
      async requestPasswordReset({ email }, call) {
        await links.requestReset(email, clientOf(call), call.trace);
        return {};
      },
      async resetPassword(request, call) {
        await links.resetPassword(request, clientOf(call), call.trace);
        return {};
      },
      suspendUser: async (request, call) =>
        toWireUser(await accounts.suspend(request, await callers.staff(call), call.trace)),
      async createLinkToken(request, call) {
        callers.linkSender(call);
        return links.create(request);
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
