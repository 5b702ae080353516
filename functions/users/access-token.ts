/** Access tokens as everybody verifies them who has the public keys: claims, key sets, and who it is that calls. Pure. */
import type { CryptoKey } from 'jose';
import * as z from 'zod/mini';
import { AppError } from '../runtime/errors.ts';
import type { Role } from './user.ts';

export const ALGORITHM = 'EdDSA';
/** Issuer and audience: the tokens are for this shop alone. */
export const PARTY = 'millrace';
export const TYPE = 'at+jwt';

export type VerifyingKey = { readonly kid: string; readonly verifying: CryptoKey };
/** As in a JWK set (RFC 7517). */
export type PublicJwk = {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly alg: typeof ALGORITHM;
  readonly use: 'sig';
};
export type PublicKey = VerifyingKey & { readonly published: PublicJwk };

/** Leave to push events, on top of what the role allows. */
export const PUSH_EVENTS = 'events:push';

/** Role → scopes of the tokens that are issued to who has it. */
export const SCOPES: Readonly<Record<Role, readonly string[]>> = { customer: [], staff: [PUSH_EVENTS] };

/** Whose a token is, with the role and the scopes of when it was issued. */
export type Identity = {
  readonly userId: string;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly sessionId: string;
  readonly expiresAt: Date;
};

const claims = z.object({
  sub: z.uuid(),
  role: z.enum(['customer', 'staff']),
  /** As in RFC 9068: names with spaces between them. */
  scope: z.optional(z.string()),
  sid: z.uuid(),
  iat: z.number(),
  exp: z.number(),
});
const header = z.object({ kid: z.string() });
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });
const publicJwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), kid: z.string() });

// Loaded at the first token: a function that only answers the public does not pay for it.
const loadJose = () => import('jose');

const invalidToken = (cause?: unknown): AppError =>
  new AppError('unauthenticated', 'invalid-token', 'This is not an access token of this shop', { cause });

/** The Ed25519 keys of a JWK set in JSON; keys of other kinds are left out. Throws when there is none. */
export async function readKeySet(json: string): Promise<readonly PublicKey[]> {
  const { importJWK } = await loadJose();
  const jwks = keySet.parse(JSON.parse(json)).keys.flatMap((jwk) => publicJwk.safeParse(jwk).data ?? []);
  if (jwks.length === 0) throw new Error('The set of signing keys has no Ed25519 key with a kid');
  return Promise.all(
    jwks.map(async (jwk) => ({
      kid: jwk.kid,
      verifying: (await importJWK(jwk, ALGORITHM)) as CryptoKey,
      published: { ...jwk, alg: ALGORITHM, use: 'sig' } as const,
    })),
  );
}

/** The id of the key that a token says it is signed with; nothing of the token is verified yet. */
export async function keyIdOf(token: string): Promise<string> {
  const { decodeProtectedHeader } = await loadJose();
  try {
    return header.parse(decodeProtectedHeader(token)).kid;
  } catch (error) {
    throw invalidToken(error);
  }
}

/** Throws `unauthenticated`: slug `token-expired`, or `invalid-token` without saying what is wrong with it. */
export async function verifyAccessToken(token: string, keys: readonly VerifyingKey[], now: Date): Promise<Identity> {
  const { errors, jwtVerify } = await loadJose();
  const keyOf = ({ kid }: { readonly kid?: string }): CryptoKey => {
    const key = keys.find((one) => one.kid === kid);
    if (!key) throw new errors.JWKSNoMatchingKey();
    return key.verifying;
  };
  const expected = { algorithms: [ALGORITHM], issuer: PARTY, audience: PARTY, typ: TYPE, currentDate: now };
  const verified = await jwtVerify(token, keyOf, expected).catch((cause) => {
    if (cause instanceof errors.JWTExpired)
      throw new AppError('unauthenticated', 'token-expired', 'The access token has expired; refresh the session');
    throw cause instanceof errors.JOSEError ? invalidToken(cause) : cause;
  });
  const { success, data, error } = claims.safeParse(verified.payload);
  if (!success) throw invalidToken(error);
  const scopes = (data.scope ?? '').split(' ').filter(Boolean);
  return { userId: data.sub, role: data.role, scopes, sessionId: data.sid, expiresAt: new Date(data.exp * 1_000) };
}
