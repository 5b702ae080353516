/** Typed client of user-service: plain values in and out; failures are the AppErrors that the service threw. */
import { UserServiceService as methods, LinkPurpose as WirePurpose } from '../gen/millrace/users/v1/users.ts';
import type { Shell } from '../runtime/function.ts';
import { openGrpcClient, type TlsSettings, tlsSettings } from '../runtime/grpc.ts';
import { hostAndPort, setting } from '../runtime/settings.ts';
import type { Trace } from '../runtime/trace.ts';
import { fromWireRole, fromWireTime, fromWireUser, type Role, type User } from './user.ts';

export type { Role, User } from './user.ts';

export type Credentials = { readonly email: string; readonly password: string };
/** The same `userId` again answers the same user; without one the service chooses. */
export type NewUser = Credentials & { readonly name?: string | undefined; readonly userId?: string | undefined };
/** Times are RFC 3339 in UTC. The session ends then, however often it is refreshed. */
export type Tokens = {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly refreshToken: string;
  readonly sessionExpiresAt: string;
};
export type SignedIn = Tokens & { readonly user: User };
/** `expiresAt` is RFC 3339 in UTC. */
export type Identity = {
  readonly userId: string;
  readonly role: Role;
  readonly sessionId: string;
  readonly expiresAt: string;
};
/** `next` asks for the next page, if there is one. */
export type UserPage = { readonly users: User[]; readonly next: string | undefined };
export type LinkPurpose = keyof typeof PURPOSES;
/** `requestedAt` is RFC 3339: when the user did what the link is for. */
export type NewLink = { readonly userId: string; readonly purpose: LinkPurpose; readonly requestedAt: string };

/** The user who calls. */
type By = { readonly accessToken: string };
/** The IP address of the client at the edge, against which tries are counted. */
type From = { readonly clientAddress?: string };

/** Errors of each are listed in proto/millrace/users/v1/users.proto; any may be `unavailable`, `users-unavailable`. */
export type UserClient = {
  createUser(request: NewUser & From, trace: Trace): Promise<User>;
  verifyEmail(request: { readonly token: string }, trace: Trace): Promise<User>;
  authenticate(request: Credentials & From, trace: Trace): Promise<SignedIn>;
  refreshToken(request: { readonly refreshToken: string }, trace: Trace): Promise<Tokens>;
  /** Ends the session of the access token, or another one of the same user. */
  revokeSession(request: By & { readonly sessionId?: string }, trace: Trace): Promise<void>;
  validateToken(request: By, trace: Trace): Promise<Identity>;
  /** A JWK set in JSON. */
  getSigningKeys(trace: Trace): Promise<string>;
  /** Without an access token the function itself asks. */
  getUser(request: { readonly userId: string } & Partial<By>, trace: Trace): Promise<User>;
  batchGetUsers(request: { readonly userIds: string[] }, trace: Trace): Promise<User[]>;
  /** `pageSize` is 1 to 100, 20 without; `pageToken` is the `next` of the page before. */
  listUsers(
    request: By & { readonly pageSize?: number | undefined; readonly pageToken?: string | undefined },
    trace: Trace,
  ): Promise<UserPage>;
  updateUser(request: By & { readonly name: string }, trace: Trace): Promise<User>;
  changePassword(
    request: By & From & { readonly currentPassword: string; readonly newPassword: string },
    trace: Trace,
  ): Promise<void>;
  requestPasswordReset(request: From & { readonly email: string }, trace: Trace): Promise<void>;
  resetPassword(request: { readonly token: string; readonly newPassword: string }, trace: Trace): Promise<void>;
  suspendUser(request: By & { readonly userId: string; readonly reason: string }, trace: Trace): Promise<User>;
  /** The token that an e-mail carries; an earlier one of this user and purpose is good no more. */
  createLinkToken(request: NewLink, trace: Trace): Promise<string>;
};

const PURPOSES = {
  'verify-email': WirePurpose.LINK_PURPOSE_VERIFY_EMAIL,
  'reset-password': WirePurpose.LINK_PURPOSE_RESET_PASSWORD,
} as const;

/** A password is slow to check on purpose, and may have to wait for its turn. */
const PASSWORD_DEADLINE_MS = 5_000;

const tokensOf = ({
  accessToken,
  expiresInSeconds,
  refreshToken,
  sessionExpiresAt,
}: {
  accessToken: string;
  expiresInSeconds: number;
  refreshToken: string;
  sessionExpiresAt?: Date | undefined;
}): Tokens => ({ accessToken, expiresInSeconds, refreshToken, sessionExpiresAt: fromWireTime(sessionExpiresAt) });

/** Of whoever calls user-service. */
export const userServiceSettings = {
  USER_SERVICE_ADDRESS: setting('`host:port` of the gRPC user service', hostAndPort),
  ...tlsSettings,
};
export type UserServiceSettings = { readonly USER_SERVICE_ADDRESS: string } & TlsSettings;

/** Connects at the first call and is closed with the shell. */
export function openUserClient(shell: Shell<UserServiceSettings>): UserClient {
  const { call } = openGrpcClient(shell, { name: 'users', address: shell.settings.USER_SERVICE_ADDRESS });
  const deadlineMs = PASSWORD_DEADLINE_MS;

  return {
    async createUser({ email, password, name = '', userId = '', clientAddress }, trace) {
      const options = { trace, deadlineMs, clientAddress, idempotent: userId !== '' };
      return fromWireUser(await call(methods.createUser, { email, password, name, userId }, options));
    },
    async verifyEmail({ token }, trace) {
      return fromWireUser(await call(methods.verifyEmail, { token }, { trace }));
    },
    async authenticate({ email, password, clientAddress }, trace) {
      const options = { trace, deadlineMs, clientAddress, idempotent: false };
      const signedIn = await call(methods.authenticate, { email, password }, options);
      return { ...tokensOf(signedIn), user: fromWireUser(signedIn.user) };
    },
    async refreshToken({ refreshToken }, trace) {
      return tokensOf(await call(methods.refreshToken, { refreshToken }, { trace }));
    },
    async revokeSession({ accessToken, sessionId = '' }, trace) {
      await call(methods.revokeSession, { sessionId }, { trace, accessToken });
    },
    async validateToken({ accessToken }, trace) {
      const { userId, role, sessionId, expiresAt } = await call(methods.validateToken, { accessToken }, { trace });
      return { userId, role: fromWireRole(role), sessionId, expiresAt: fromWireTime(expiresAt) };
    },
    async getSigningKeys(trace) {
      return (await call(methods.getSigningKeys, {}, { trace })).jwks;
    },
    async getUser({ userId, accessToken }, trace) {
      return fromWireUser(await call(methods.getUser, { userId }, { trace, accessToken }));
    },
    async batchGetUsers({ userIds }, trace) {
      return (await call(methods.batchGetUsers, { userIds }, { trace })).users.map(fromWireUser);
    },
    async listUsers({ accessToken, pageSize = 0, pageToken = '' }, trace) {
      const answer = await call(methods.listUsers, { pageSize, pageToken }, { trace, accessToken });
      return { users: answer.users.map(fromWireUser), next: answer.nextPageToken || undefined };
    },
    async updateUser({ accessToken, name }, trace) {
      return fromWireUser(await call(methods.updateUser, { name }, { trace, accessToken }));
    },
    async changePassword({ accessToken, clientAddress, currentPassword, newPassword }, trace) {
      const options = { trace, deadlineMs, accessToken, clientAddress, idempotent: false };
      await call(methods.changePassword, { currentPassword, newPassword }, options);
    },
    async requestPasswordReset({ email, clientAddress }, trace) {
      await call(methods.requestPasswordReset, { email }, { trace, clientAddress, idempotent: false });
    },
    async resetPassword({ token, newPassword }, trace) {
      await call(methods.resetPassword, { token, newPassword }, { trace, deadlineMs, idempotent: false });
    },
    async suspendUser({ accessToken, userId, reason }, trace) {
      return fromWireUser(await call(methods.suspendUser, { userId, reason }, { trace, accessToken }));
    },
    async createLinkToken({ userId, purpose, requestedAt }, trace) {
      const request = { userId, purpose: PURPOSES[purpose], requestedAt: new Date(requestedAt) };
      return (await call(methods.createLinkToken, request, { trace })).token;
    },
  };
}
