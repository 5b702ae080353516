import fc from 'fast-check';
import { base64url, type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
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

/** A token that is right in everything but what is given. */
const forge = ({ header, claims, signing = first.signing, exp = later(60) }: Changes = {}): Promise<string> =>
  new SignJWT({ iss: 'millrace', aud: 'millrace', sub: userId, role: 'staff', sid: sessionId, iat, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: 'first', ...header })
    .setExpirationTime(exp)
    .sign(signing);

const verify = async (token: string, at = now) => verifyAccessToken(token, keys, at);
const encode = (value: object): string => base64url.encode(JSON.stringify(value));

describe('an access token', () => {
  test('says whose it is, with which role, of which session and until when', async () => {
    expect(await verify(await forge())).toEqual({ userId, role: 'staff', sessionId, expiresAt: later(60) });
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
    const claims = { iss: 'millrace', aud: 'millrace', sub: userId, role: 'staff', sid: sessionId, iat };
    const token = new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: 'first' });
    await expect(verify(await token.sign(first.signing))).rejects.toMatchObject(invalidToken);
  });

  test('signed by a stranger in the name of a known key is refused', async () => {
    await expect(verify(await forge({ signing: stranger.signing }))).rejects.toMatchObject(invalidToken);
  });

  test.each(['none', 'None', 'HS256', 'ES256', 'RS256'])('with alg %s and a true signature is refused', async (alg) => {
    const [, payload = '', signature = ''] = (await forge()).split('.');
    const header = encode({ alg, typ: 'at+jwt', kid: 'first' });
    await expect(verify(`${header}.${payload}.${signature}`)).rejects.toMatchObject(invalidToken);
    await expect(verify(`${header}.${payload}.`)).rejects.toMatchObject(invalidToken);
  });

  test('signed by HMAC with the public key is refused', async () => {
    const { x } = first.jwk as { x: string };
    const token = await new SignJWT({
      iss: 'millrace',
      aud: 'millrace',
      sub: userId,
      role: 'staff',
      sid: sessionId,
      iat,
    })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'first' })
      .setExpirationTime(later(60))
      .sign(Buffer.from(x, 'base64url'));
    await expect(verify(token)).rejects.toMatchObject(invalidToken);
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
