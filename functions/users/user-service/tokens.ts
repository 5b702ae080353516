/** Access tokens: JWTs signed with Ed25519, good for 15 minutes and for this shop alone. */
import { calculateJwkThumbprint, errors, importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import * as z from 'zod/mini';
import { ConfigError } from '../../runtime/config.ts';
import { AppError } from '../../runtime/errors.ts';
import type { Role } from '../user.ts';

export const LIFETIME_SECONDS = 15 * 60;

const ALGORITHM = 'EdDSA';
const PARTY = 'millrace';
const TYPE = 'at+jwt';

const privateKey = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() });
const claims = z.object({ sub: z.uuid(), role: z.enum(['customer', 'staff']), exp: z.number() });

export type Identity = { readonly userId: string; readonly role: Role; readonly expiresAt: Date };

export type Tokens = {
  issue(user: { readonly userId: string; readonly role: Role }, now?: Date): Promise<string>;
  /** Throws `unauthenticated`: slug `token-expired`, or `invalid-token` without saying what is wrong with it. */
  validate(token: string, now?: Date): Promise<Identity>;
};

const parseKey = (json: string): JWK & z.infer<typeof privateKey> => {
  try {
    return privateKey.parse(JSON.parse(json));
  } catch {
    throw new Error('it is not JSON with kty "OKP", crv "Ed25519", x and d');
  }
};

async function openKey(json: string): Promise<Tokens> {
  const { kty, crv, x, d } = parseKey(json);
  const kid = await calculateJwkThumbprint({ kty, crv, x });
  const signing = await importJWK({ kty, crv, x, d }, ALGORITHM);
  const verifying = await importJWK({ kty, crv, x }, ALGORITHM);
  const expected = { algorithms: [ALGORITHM], issuer: PARTY, audience: PARTY, typ: TYPE };

  return {
    issue: ({ userId, role }, now = new Date()) =>
      new SignJWT({ role })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
        .setIssuer(PARTY)
        .setAudience(PARTY)
        .setSubject(userId)
        .setIssuedAt(now)
        .setExpirationTime(new Date(now.getTime() + LIFETIME_SECONDS * 1_000))
        .sign(signing),
    async validate(token, now = new Date()) {
      try {
        const { payload } = await jwtVerify(token, verifying, { ...expected, currentDate: now });
        const { sub, role, exp } = claims.parse(payload);
        return { userId: sub, role, expiresAt: new Date(exp * 1_000) };
      } catch (cause) {
        if (cause instanceof errors.JWTExpired)
          throw new AppError('unauthenticated', 'token-expired', 'The access token has expired; sign in again');
        if (!(cause instanceof errors.JOSEError || cause instanceof z.core.$ZodError)) throw cause;
        throw new AppError('unauthenticated', 'invalid-token', 'This is not an access token of this shop', { cause });
      }
    },
  };
}

/** Tokens signed with the private Ed25519 JWK in `json`; throws ConfigError when it is none. */
export async function openTokens(json: string): Promise<Tokens> {
  try {
    return await openKey(json);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`SIGNING_KEY_FILE does not hold a private Ed25519 key as a JWK: ${why}`);
  }
}
