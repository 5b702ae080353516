/** Access token → who calls, verified here with the public keys of user-service, which is not asked about the token. */
import type { Caller } from '../runtime/routes.ts';
import type { Trace } from '../runtime/trace.ts';
import { keyIdOf, verifyAccessToken } from '../users/access-token.ts';
import type { SigningKeys } from './signing-keys.ts';

/** Throws `unauthenticated`, slug `token-expired` or `invalid-token`; `unavailable` when there are no keys to verify with. */
export const authenticateWith =
  (keys: SigningKeys) =>
  async (accessToken: string, trace: Trace): Promise<Caller> => {
    const known = await keys.including(await keyIdOf(accessToken), trace);
    const { userId, role, scopes } = await verifyAccessToken(accessToken, known, new Date());
    return { userId, role, scopes };
  };
