/** Access token → who calls, verified here with the public keys of user-service, which is not asked about the token. */
import type { Caller } from '../runtime/http.ts';
import type { Trace } from '../runtime/trace.ts';
import { type Identity, keyIdOf, type VerifyingKey, verifyAccessToken } from '../users/access-token.ts';
import type { SigningKeys } from './signing-keys.ts';

/** Tokens that are remembered, at most. */
const MOST_VERIFIED = 10_000;

type Verified = { readonly kid: string; readonly identity: Identity };

/**
 * A signature is checked once for each set of keys: when the keys were asked for again, which is every minute, so are the
 * signatures. Throws `unauthenticated`, slug `token-expired` or `invalid-token`; `unavailable` when there are no keys to
 * verify with.
 */
export function authenticateWith(keys: Pick<SigningKeys, 'including'>) {
  let by: readonly VerifyingKey[] = [];
  const verified = new Map<string, Verified>();

  const verify = async (accessToken: string, kid: string, known: readonly VerifyingKey[]): Promise<Identity> => {
    const identity = await verifyAccessToken(accessToken, known, new Date());
    if (by !== known || verified.size >= MOST_VERIFIED) verified.clear();
    by = known;
    verified.set(accessToken, { kid, identity });
    return identity;
  };

  return async (accessToken: string, trace: Trace): Promise<Caller> => {
    const before = verified.get(accessToken);
    const kid = before?.kid ?? (await keyIdOf(accessToken));
    const known = await keys.including(kid, trace);
    const good = before && by === known && before.identity.expiresAt.getTime() > Date.now();
    const { userId, role, scopes } = good ? before.identity : await verify(accessToken, kid, known);
    return { userId, role, scopes };
  };
}
