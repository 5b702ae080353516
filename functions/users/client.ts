/** Typed client of user-service: plain values in and out; failures are the AppErrors that the service threw. */
import { UserServiceService as methods } from '../gen/millrace/users/v1/users.ts';
import type { Shell } from '../runtime/function.ts';
import { openGrpcClient } from '../runtime/grpc-client.ts';
import type { Trace } from '../runtime/trace.ts';
import { fromWireRole, fromWireTime, fromWireUser, type Role, type User } from './user.ts';

export type { Role, User } from './user.ts';

export type Credentials = { readonly email: string; readonly password: string };
export type SignedIn = { readonly accessToken: string; readonly expiresInSeconds: number; readonly user: User };
/** `expiresAt` is RFC 3339 in UTC. */
export type Identity = { readonly userId: string; readonly role: Role; readonly expiresAt: string };

/** Errors of each are listed in proto/millrace/users/v1/users.proto; any may be `unavailable`, `users-unavailable`. */
export type UserClient = {
  createUser(request: Credentials, trace: Trace): Promise<User>;
  authenticate(request: Credentials, trace: Trace): Promise<SignedIn>;
  getUser(request: { readonly userId: string }, trace: Trace): Promise<User>;
  validateToken(request: { readonly accessToken: string }, trace: Trace): Promise<Identity>;
};

/** A password is slow to check on purpose, and may have to wait for its turn. */
const PASSWORD_DEADLINE_MS = 5_000;

/** Connects at the first call and is closed with the shell. */
export function openUserClient(shell: Shell<'USER_SERVICE_ADDRESS'>): UserClient {
  const { call } = openGrpcClient(shell, { name: 'users', address: shell.settings.USER_SERVICE_ADDRESS });
  return {
    async createUser(request, trace) {
      return fromWireUser(await call(methods.createUser, request, { trace, deadlineMs: PASSWORD_DEADLINE_MS }));
    },
    async authenticate(request, trace) {
      const { accessToken, expiresInSeconds, user } = await call(methods.authenticate, request, {
        trace,
        deadlineMs: PASSWORD_DEADLINE_MS,
      });
      return { accessToken, expiresInSeconds, user: fromWireUser(user) };
    },
    async getUser(request, trace) {
      return fromWireUser(await call(methods.getUser, request, { trace }));
    },
    async validateToken(request, trace) {
      const { userId, role, expiresAt } = await call(methods.validateToken, request, { trace });
      return { userId, role: fromWireRole(role), expiresAt: fromWireTime(expiresAt) };
    },
  };
}
