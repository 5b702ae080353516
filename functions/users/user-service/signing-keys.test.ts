import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../runtime/settings.ts';
import { jwksAt, parseSigningKeys, SIGNS_FROM, signerAt } from './signing-keys.ts';

const newJwk = async () => {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
  return exportJWK(privateKey);
};
const publicOf = ({ d: _, ...rest }: Awaited<ReturnType<typeof newJwk>>) => rest;
const now = new Date('2026-01-01T00:00:00.000Z');
const setOf = (...keys: object[]): string => JSON.stringify({ keys });
const kidsOf = (jwks: string): string[] => JSON.parse(jwks).keys.map(({ kid }: { kid: string }) => kid);

describe('a file that is', () => {
  test.each([
    ['no JSON', () => 'secret-not-json'],
    ['an RSA key', () => JSON.stringify({ kty: 'RSA', n: 'secret', e: 'AQAB' })],
    ['a public key', async () => JSON.stringify(publicOf(await newJwk()))],
    ['a set of public keys', async () => setOf(publicOf(await newJwk()), publicOf(await newJwk()))],
    ['an empty set', () => setOf()],
    ['a key of a wrong length', async () => JSON.stringify({ ...(await newJwk()), d: 'secret' })],
    ['a set with one broken key', async () => setOf(await newJwk(), { ...(await newJwk()), d: 'secret' })],
    ['a key that signs from no time', async () => setOf({ ...(await newJwk()), [SIGNS_FROM]: 'secret' })],
  ])('%s stops the start with a clear message that holds none of it', async (_, content) => {
    const error = await parseSigningKeys(await content()).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/^SIGNING_KEY_FILE does not hold a private Ed25519 key as a JWK or JWK set: /);
    expect(error.message).not.toContain('secret');
  });

  test('a key whose public half belongs to another stops the start', async () => {
    const { x } = await newJwk();
    await expect(parseSigningKeys(JSON.stringify({ ...(await newJwk()), x }))).rejects.toBeInstanceOf(ConfigError);
  });
});

describe('of a set', () => {
  test('the first private key signs and is published first, and no private part is', async () => {
    const [verifier, first, second] = [publicOf(await newJwk()), await newJwk(), await newJwk()];
    const keys = await parseSigningKeys(setOf(verifier, first, second));
    expect(signerAt(keys, now)).toBe(keys[1]);
    const [a, b, c] = keys.map(({ kid }) => kid);
    const jwks = jwksAt(keys, now);
    expect(kidsOf(jwks)).toEqual([b, a, c]);
    expect(JSON.parse(jwks).keys[0]).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: first.x,
      kid: b,
      alg: 'EdDSA',
      use: 'sig',
    });
    for (const { d } of [first, second]) expect(jwks).not.toContain(d);
  });

  test('a key whose time has not come is published, and signs from then on', async () => {
    const next = { ...(await newJwk()), [SIGNS_FROM]: '2026-01-01T00:05:00.000Z' };
    const keys = await parseSigningKeys(setOf(next, await newJwk()));
    const [kid, old] = keys.map((key) => key.kid);
    expect(signerAt(keys, now).kid).toBe(old);
    expect(kidsOf(jwksAt(keys, now))).toEqual([old, kid]);
    const later = new Date('2026-01-01T00:05:00.000Z');
    expect(signerAt(keys, later).kid).toBe(kid);
    expect(kidsOf(jwksAt(keys, later))).toEqual([kid, old]);
  });

  test('the last key signs when the time of none has come', async () => {
    const keys = await parseSigningKeys(setOf({ ...(await newJwk()), [SIGNS_FROM]: '2027-01-01T00:00:00Z' }));
    expect(signerAt(keys, now)).toBe(keys[0]);
  });
});
