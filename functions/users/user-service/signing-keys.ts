/** SIGNING_KEY_FILE → the keys that sign and verify access tokens, read again whenever the file changes. */
import { readFile } from 'node:fs/promises';
import { type CryptoKey, calculateJwkThumbprint, importJWK } from 'jose';
import * as z from 'zod/mini';
import type { Shell } from '../../runtime/function.ts';
import { ConfigError } from '../../runtime/settings.ts';
import { ALGORITHM } from '../access-token.ts';

/** Well below the 15 minutes that a new key is known before it signs. */
const REREAD_MS = 5_000;

/** Member of a JWK: RFC 3339, the time from which a private key signs; without it, at once. */
export const SIGNS_FROM = 'millrace:signs_from';

const jwk = z.looseObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.optional(z.string()),
  [SIGNS_FROM]: z.optional(z.iso.datetime()),
});
export type Jwk = z.infer<typeof jwk>;

type PublicJwk = { readonly kty: string; readonly crv: string; readonly x: string; readonly kid: string };
export type SigningKey = {
  readonly kid: string;
  readonly published: PublicJwk & { readonly alg: string; readonly use: string };
  readonly verifying: CryptoKey;
  /** undefined for a public key, which only verifies. */
  readonly signing: CryptoKey | undefined;
  /** Unix time in milliseconds. */
  readonly signsFrom: number;
};

/** The keys of one JWK or a JWK set, in their order. Throws without a word of the content. */
export function parseJwks(json: string): Jwk[] {
  try {
    const content: unknown = JSON.parse(json);
    const set = z.object({ keys: z.array(jwk).check(z.minLength(1)) }).safeParse(content);
    return set.success ? set.data.keys : [jwk.parse(content)];
  } catch {
    throw new Error('it is not JSON with kty "OKP", crv "Ed25519", x and d');
  }
}

/** When a key begins to sign, as Unix time in milliseconds. */
export const signsFrom = (key: Jwk): number => Date.parse(key[SIGNS_FROM] ?? '1970-01-01T00:00:00Z');

async function openKey(key: Jwk): Promise<SigningKey> {
  const { kty, crv, x, d } = key;
  const kid = await calculateJwkThumbprint({ kty, crv, x });
  return {
    kid,
    published: { kty, crv, x, kid, alg: ALGORITHM, use: 'sig' },
    verifying: (await importJWK({ kty, crv, x }, ALGORITHM)) as CryptoKey,
    signing: d === undefined ? undefined : ((await importJWK({ kty, crv, x, d }, ALGORITHM)) as CryptoKey),
    signsFrom: signsFrom(key),
  };
}

type Signer = SigningKey & { readonly signing: CryptoKey };
const isPrivate = (key: SigningKey): key is Signer => key.signing !== undefined;

/** The first private key whose time has come; before the time of all of them the last one. */
export function signerAt(keys: readonly SigningKey[], now: Date): Signer {
  const able = keys.filter(isPrivate);
  const signer = able.find((key) => key.signsFrom <= now.getTime()) ?? able.at(-1);
  if (!signer) throw new Error('no key can sign');
  return signer;
}

/** The public keys as a JWK set (RFC 7517), the one that signs first. */
export function jwksAt(keys: readonly SigningKey[], now: Date): string {
  const signer = signerAt(keys, now);
  const others = keys.filter(({ kid }) => kid !== signer.kid);
  return JSON.stringify({ keys: [signer, ...others].map(({ published }) => published) });
}

/** Throws ConfigError, without a word of the content, unless it holds a private Ed25519 key. */
export async function parseSigningKeys(json: string): Promise<SigningKey[]> {
  try {
    const keys = await Promise.all(parseJwks(json).map(openKey));
    if (!keys.some(isPrivate)) throw new Error('none of its keys has d, the private part');
    return keys;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`SIGNING_KEY_FILE does not hold a private Ed25519 key as a JWK or JWK set: ${why}`);
  }
}

/** The keys as the file holds them now; while it is broken or gone, as it held them before. */
export async function openSigningKeys(
  shell: Shell<{ readonly SIGNING_KEY_FILE: string }>,
  rereadMs = REREAD_MS,
): Promise<() => readonly SigningKey[]> {
  const file = shell.settings.SIGNING_KEY_FILE;
  let content = await readFile(file, 'utf8');
  let keys = await parseSigningKeys(content);
  let complaint = '';

  const reread = async (): Promise<void> => {
    try {
      const found = await readFile(file, 'utf8');
      if (found === content) return;
      keys = await parseSigningKeys(found);
      content = found;
      complaint = '';
      shell.log.info({ keys: keys.map(({ kid }) => kid) }, 'read the signing keys anew');
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== complaint) shell.log.error({ error: why }, 'cannot read the signing keys; the old ones stay');
      complaint = why;
    }
  };
  // Contents and not times are compared: Kubernetes replaces a mounted secret by turning a symbolic link.
  const timer = setInterval(() => void reread(), rereadMs).unref();
  shell.onClose(() => clearInterval(timer));
  return () => keys;
}
