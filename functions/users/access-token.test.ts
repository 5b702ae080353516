import fc from 'fast-check';
import { base64url, type CryptoKey, EncryptJWT, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { keyIdOf, type PublicKey, readKeySet, verifyAccessToken } from './access-token.ts';

const userId = '01980000-0000-7000-8000-000000000001';
const sessionId = '01980000-0000-7000-8000-000000000002';
const now = new Date('2026-01-01T00:00:00.000Z');
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1_000);
const iat = now.getTime() / 1_000;
const invalidToken = { code: 'unauthenticated', slug: 'invalid-token' };

type Pair = { readonly signing: CryptoKey; readonly jwk: object };

async function newPair(kid: string, alg = 'Ed25519'): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { signing: privateKey, jwk: { ...(await exportJWK(publicKey)), kid } };
}

let first: Pair;
let second: Pair;
let stranger: Pair;
let keys: readonly PublicKey[];
beforeAll(async () => {
  [first, second, stranger] = await Promise.all([newPair('first'), newPair('second'), newPair('first')]);
  keys = await readKeySet(JSON.stringify({ keys: [first.jwk, second.jwk] }));
});

type Changes = {
  readonly header?: object;
  readonly claims?: object;
  readonly signing?: CryptoKey;
  readonly exp?: Date;
};

const rightClaims = { iss: 'millrace', aud: 'millrace', sub: userId, role: 'staff', sid: sessionId, iat };
const rightHeader = { alg: 'EdDSA', typ: 'at+jwt', kid: 'first' };

/** A token that is right in everything but what is given. */
const forge = ({ header, claims, signing = first.signing, exp = later(60) }: Changes = {}): Promise<string> =>
  new SignJWT({ ...rightClaims, ...claims })
    .setProtectedHeader({ ...rightHeader, ...header })
    .setExpirationTime(exp)
    .sign(signing);

const verify = async (token: string, at = now) => verifyAccessToken(token, keys, at);
const encode = (value: object): string => base64url.encode(JSON.stringify(value));

describe('an access token', () => {
  test('says whose it is, with which role, of which session and until when', async () => {
    expect(await verify(await forge())).toEqual({
      userId,
      role: 'staff',
      scopes: [],
      sessionId,
      expiresAt: later(60),
    });
  });

  test('says what it may be used for; one from before there were scopes may be used for none', async () => {
    const token = await forge({ claims: { scope: 'events:push  other' } });
    expect(await verify(token)).toMatchObject({ scopes: ['events:push', 'other'] });
    expect(await verify(await forge({ claims: { scope: '' } }))).toMatchObject({ scopes: [] });
  });

  test('is verified with the key that it names', async () => {
    const token = await forge({ header: { kid: 'second' }, signing: second.signing });
    expect(await verify(token)).toMatchObject({ userId });
    expect(await keyIdOf(token)).toBe('second');
  });

  test('is good until its last second, and then expired', async () => {
    const token = await forge();
    await expect(verify(token, later(59))).resolves.toMatchObject({ userId });
    await expect(verify(token, later(60))).rejects.toMatchObject({ code: 'unauthenticated', slug: 'token-expired' });
  });

  test.each<[string, Changes]>([
    ['another audience', { claims: { aud: 'elsewhere' } }],
    ['no audience', { claims: { aud: undefined } }],
    ['another issuer', { claims: { iss: 'elsewhere' } }],
    ['no issuer', { claims: { iss: undefined } }],
    ['another type', { header: { typ: 'JWT' } }],
    ['no type', { header: { typ: undefined } }],
    ['a role that does not exist', { claims: { role: 'admin' } }],
    ['no role', { claims: { role: undefined } }],
    ['a subject that is no id', { claims: { sub: 'admin' } }],
    ['no subject', { claims: { sub: undefined } }],
    ['a session that is no id', { claims: { sid: '1' } }],
    ['no session', { claims: { sid: undefined } }],
    ['scopes that are no text', { claims: { scope: ['events:push'] } }],
    ['no time of issue', { claims: { iat: undefined } }],
    ['a time before which it is not good', { claims: { nbf: later(30).getTime() / 1_000 } }],
    ['a key that there is not', { header: { kid: 'third' } }],
    ['the name of another key', { header: { kid: 'second' } }],
    ['no name of a key', { header: { kid: undefined } }],
    ['a key of its own in the header', { header: { kid: 'third', jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AA' } } }],
  ])('with %s is refused', async (_, changes) => {
    await expect(verify(await forge(changes))).rejects.toMatchObject(invalidToken);
  });

  test('without an end is refused', async () => {
    const token = new SignJWT(rightClaims).setProtectedHeader(rightHeader);
    await expect(verify(await token.sign(first.signing))).rejects.toMatchObject(invalidToken);
  });

  test('with an end that is no time is refused', async () => {
    const token = new SignJWT({ ...rightClaims, exp: 'never' as never }).setProtectedHeader(rightHeader);
    await expect(verify(await token.sign(first.signing))).rejects.toMatchObject(invalidToken);
  });

  test('with another payload under the same signature is refused', async () => {
    const [header, , signature] = (await forge()).split('.');
    const payload = encode({ ...rightClaims, role: 'customer', exp: later(60).getTime() / 1_000 });
    await expect(verify(`${header}.${payload}.${signature}`)).rejects.toMatchObject(invalidToken);
  });

  test('that demands what nobody here knows is refused', async () => {
    const header = { ...rightHeader, crit: ['urn:unknown'], 'urn:unknown': true };
    const token = new SignJWT({ ...rightClaims }).setProtectedHeader(header).setExpirationTime(later(60));
    const signed = await token.sign(first.signing, { crit: { 'urn:unknown': true } });
    await expect(verify(signed)).rejects.toMatchObject(invalidToken);
  });

  test('that is encrypted is refused', async () => {
    const header = { ...rightHeader, alg: 'dir', enc: 'A256GCM' };
    const token = new EncryptJWT({ ...rightClaims }).setProtectedHeader(header).setExpirationTime(later(60));
    const encrypted = await token.encrypt(crypto.getRandomValues(new Uint8Array(32)));
    expect(encrypted.split('.')).toHaveLength(5);
    await expect(verify(encrypted)).rejects.toMatchObject(invalidToken);
  });

  test.each<[string, () => object]>([
    ['', () => ({})],
    [', with the key beside it,', () => ({ jwk: stranger.jwk })],
    [', with a place to get the key from,', () => ({ jku: 'https://elsewhere.example/jwks.json' })],
    [', with a place to get a certificate from,', () => ({ x5u: 'https://elsewhere.example/cert.pem' })],
  ])('signed by a stranger in the name of a known key%s is refused', async (_, header) => {
    const token = forge({ header: header(), signing: stranger.signing });
    await expect(verify(await token)).rejects.toMatchObject(invalidToken);
  });

  test.each(['none', 'None', 'HS256', 'ES256', 'RS256'])('with alg %s and a true signature is refused', async (alg) => {
    const [, payload = '', signature = ''] = (await forge()).split('.');
    const header = encode({ alg, typ: 'at+jwt', kid: 'first' });
    await expect(verify(`${header}.${payload}.${signature}`)).rejects.toMatchObject(invalidToken);
    await expect(verify(`${header}.${payload}.`)).rejects.toMatchObject(invalidToken);
  });

  test.each<[string, () => Uint8Array]>([
    ['its bytes', () => Buffer.from((first.jwk as { x: string }).x, 'base64url')],
    ['its JWK', () => Buffer.from(JSON.stringify(keys[0]?.published))],
  ])('signed by HMAC with the public key, %s, is refused', async (_, secret) => {
    const token = new SignJWT({ ...rightClaims }).setProtectedHeader({ ...rightHeader, alg: 'HS256' });
    const signed = await token.setExpirationTime(later(60)).sign(secret());
    await expect(verify(signed)).rejects.toMatchObject(invalidToken);
  });

  test('with any one bit changed is refused', async () => {
    const bytes = (await forge()).split('.').map((part) => Buffer.from(part, 'base64url'));
    const total = bytes.reduce((sum, part) => sum + part.length * 8, 0);
    await fc.assert(
      fc.asyncProperty(fc.nat(total - 1), async (bit) => {
        const changed = Buffer.concat(bytes);
        changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        const parts = bytes.map((part, index) => {
          const start = bytes.slice(0, index).reduce((sum, { length }) => sum + length, 0);
          return changed.subarray(start, start + part.length).toString('base64url');
        });
        await expect(verify(parts.join('.'))).rejects.toMatchObject(invalidToken);
      }),
    );
  });

  test('that is any text at all is refused, and never an internal error', async () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json().map((json) => base64url.encode(json)),
    );
    const text = fc.oneof(
      part,
      fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (token) => {
        await expect(verify(token)).rejects.toMatchObject(invalidToken);
        await keyIdOf(token).catch((error) => expect(error).toMatchObject(invalidToken));
      }),
    );
  });
});

describe('a set of keys', () => {
  test('is published without anything private or unknown', async () => {
    const jwk = { ...first.jwk, d: 'secret', key_ops: ['verify'] };
    const [key] = await readKeySet(JSON.stringify({ keys: [jwk] }));
    expect(Object.keys(key?.published ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  });

  test('may hold keys of kinds to come, which are left out', async () => {
    const { jwk: other } = await newPair('curve', 'ES256');
    const found = await readKeySet(JSON.stringify({ keys: [other, { kty: 'AKP', pub: 'AA' }, second.jwk] }));
    expect(found.map(({ kid }) => kid)).toEqual(['second']);
  });

  test.each(['', '{}', '{"keys": []}', '{"keys": [{"kty": "OKP"}]}', '[]'])('that is %s is no set', async (json) => {
    await expect(readKeySet(json)).rejects.toThrow();
  });
});
