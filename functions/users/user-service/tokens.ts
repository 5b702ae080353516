/** Access tokens: JWTs signed with Ed25519, good for 10 minutes and for this shop alone. */
import { SignJWT } from 'jose';
import { ALGORITHM, type Identity as Holder, PARTY, SCOPES, TYPE, verifyAccessToken } from '../access-token.ts';
import { type SigningKey, signerAt } from './signing-keys.ts';

export const LIFETIME_SECONDS = 10 * 60;

/** Whose a token is: the role is that of when it was issued. */
export type Identity = Omit<Holder, 'expiresAt' | 'scopes'>;

export type Tokens = {
  issue(identity: Identity, now?: Date): Promise<string>;
  /** Throws `unauthenticated`: slug `token-expired`, or `invalid-token` without saying what is wrong with it. */
  verify(token: string, now?: Date): Promise<Holder>;
};

export const openTokens = (keys: () => readonly SigningKey[]): Tokens => ({
  issue({ userId, role, sessionId }, now = new Date()) {
    const { kid, signing } = signerAt(keys(), now);
    const scope = SCOPES[role].join(' ');
    return new SignJWT({ role, sid: sessionId, ...(scope ? { scope } : {}) })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
      .setIssuer(PARTY)
      .setAudience(PARTY)
      .setSubject(userId)
      .setIssuedAt(now)
      .setExpirationTime(new Date(now.getTime() + LIFETIME_SECONDS * 1_000))
      .sign(signing);
  },
  verify: (token, now = new Date()) => verifyAccessToken(token, keys(), now),
});
