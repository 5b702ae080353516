/** Signing keys → the keys after a rotation: a fresh one first, and without those that no living token is signed by. Pure but for chance. */
import { exportJWK, generateKeyPair } from 'jose';
import { ALGORITHM } from '../../../functions/users/access-token.ts';
import { type Jwk, parseJwks, SIGNS_FROM, signsFrom } from '../../../functions/users/user-service/signing-keys.ts';
import { LIFETIME_SECONDS } from '../../../functions/users/user-service/tokens.ts';

/**
 * A new key is published so long before it signs: Kubernetes takes a minute or two to bring a secret to every replica, and
 * whoever verifies keeps a copy for minutes.
 */
const KNOWN_BEFORE_MS = 15 * 60_000;

/** Replicas' clocks may differ by so much. */
const SKEW_MS = 60_000;

const isPrivate = (key: Jwk): boolean => key.d !== undefined;

/** When a key stopped signing, as Unix time in milliseconds: when one before it in the list began. */
const signedUntil = (keys: readonly Jwk[], index: number): number =>
  Math.min(...keys.slice(0, index).filter(isPrivate).map(signsFrom), Number.POSITIVE_INFINITY);

async function newKey(from: Date | undefined): Promise<Jwk> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true });
  const [key] = parseJwks(JSON.stringify(await exportJWK(privateKey)));
  if (!key) throw new Error('no key was made');
  return from ? { ...key, [SIGNS_FROM]: from.toISOString() } : key;
}

/**
 * With `stolen` the fresh key signs at once and alone: access tokens end when their verifiers have read the new set, an HTTP
 * function's up to 60 s later, and sessions go on by their refresh tokens.
 */
export async function rotate(keys: readonly Jwk[], now: Date, stolen: boolean): Promise<Jwk[]> {
  if (stolen) return [await newKey(undefined)];
  const fresh = await newKey(new Date(now.getTime() + KNOWN_BEFORE_MS));
  const oldest = now.getTime() - LIFETIME_SECONDS * 1_000 - SKEW_MS;
  return [fresh, ...keys.filter((key, index) => !isPrivate(key) || signedUntil(keys, index) > oldest)];
}
