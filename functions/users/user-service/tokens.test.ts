import fc from 'fast-check';
import { base64url, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseSigningKeys, type SigningKey } from './signing-keys.ts';
import { openTokens, type Tokens } from './tokens.ts';

const userId = '01980000-0000-7000-8000-000000000001';
const sessionId = '01980000-0000-7000-8000-000000000002';
const user = { userId, sessionId, role: 'staff' } as const;
const now = new Date('2026-01-01T00:00:00.000Z');
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1_000);
const invalidToken = { code: 'unauthenticated', slug: 'invalid-token' };

const newKey = async (): Promise<string> => {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
  return JSON.stringify(await exportJWK(privateKey));
};

let key: string;
let keys: readonly SigningKey[];
let tokens: Tokens;
beforeAll(async () => {
  key = await newKey();
  keys = await parseSigningKeys(key);
  tokens = openTokens(() => keys);
});

const seconds = (time: Date): number => time.getTime() / 1_000;
const claims = {
  iss: 'millrace',
  aud: 'millrace',
  sub: userId,
  role: 'staff',
  sid: sessionId,
  iat: seconds(now),
  exp: seconds(later(60)),
};

/** A token signed with the service's own key, right in everything but what is given. */
async function forge(changes: { header?: object; claims?: object }): Promise<string> {
  return new SignJWT({ ...claims, ...changes.claims })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: keys[0]?.kid ?? '', ...changes.header })
    .sign(await importJWK(JSON.parse(key), 'EdDSA'));
}

const encode = (value: object): string => base64url.encode(JSON.stringify(value));

describe('a token', () => {
  test('says whose it is, with which role, and until when', async () => {
    const token = await tokens.issue(user, now);
    expect(await tokens.verify(token, now)).toEqual({ ...user, expiresAt: later(600) });
  });

  test('names its type and the thumbprint of its key in the header', async () => {
    const [header = ''] = (await tokens.issue(user, now)).split('.');
    const { alg, typ, kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
    expect({ alg, typ }).toEqual({ alg: 'EdDSA', typ: 'at+jwt' });
    expect(kid).toMatch(/^[\w-]{43}$/);
  });

  test('made by hand with everything right is valid, so that the forgeries below fail for their one fault', async () => {
    expect(await tokens.verify(await forge({}), now)).toMatchObject(user);
  });

  test('is good until its last second, and then expired', async () => {
    const token = await tokens.issue(user, now);
    await expect(tokens.verify(token, later(599))).resolves.toMatchObject(user);
    await expect(tokens.verify(token, later(600))).rejects.toMatchObject({
      code: 'unauthenticated',
      slug: 'token-expired',
    });
  });

  test.each([
    ['another audience', { claims: { aud: 'elsewhere' } }],
    ['another issuer', { claims: { iss: 'elsewhere' } }],
    ['another type', { header: { typ: 'JWT' } }],
    ['a role that does not exist', { claims: { role: 'admin' } }],
    ['no role', { claims: { role: undefined } }],
    ['a subject that is no id', { claims: { sub: 'admin' } }],
    ['no subject', { claims: { sub: undefined } }],
    ['a session that is no id', { claims: { sid: 'mine' } }],
    ['no session', { claims: { sid: undefined } }],
    ['no audience', { claims: { aud: undefined } }],
    ['no issuer', { claims: { iss: undefined } }],
    ['no time of issue', { claims: { iat: undefined } }],
    ['no expiry', { claims: { exp: undefined } }],
    ['an expiry that is no time', { claims: { exp: 'never' } }],
    ['no type', { header: { typ: undefined } }],
    ['the name of a key that does not exist', { header: { kid: 'k' } }],
    ['no name of a key', { header: { kid: undefined } }],
    ['a key of its own', { header: { kid: undefined, jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' } } }],
  ])('with %s is refused', async (_, changes) => {
    await expect(tokens.verify(await forge(changes), now)).rejects.toMatchObject(invalidToken);
  });

  test('signed by another key is refused', async () => {
    const theirs = await parseSigningKeys(await newKey());
    const stranger = openTokens(() => theirs);
    await expect(tokens.verify(await stranger.issue(user, now), now)).rejects.toMatchObject(invalidToken);
  });

  test('signed by another key under the name of ours is refused', async () => {
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: keys[0]?.kid ?? '' })
      .sign(await importJWK(JSON.parse(await newKey()), 'EdDSA'));
    await expect(tokens.verify(token, now)).rejects.toMatchObject(invalidToken);
  });

  test('signed by the key before is good as long as that key is in the set', async () => {
    const token = await tokens.issue(user, now);
    const next = await parseSigningKeys(await newKey());
    const both = openTokens(() => [...next, ...keys]);
    expect(await both.verify(token, now)).toMatchObject(user);
    await expect(openTokens(() => next).verify(token, now)).rejects.toMatchObject(invalidToken);
  });

  test('with another payload under the same signature is refused', async () => {
    const [header, , signature] = (await forge({})).split('.');
    const token = `${header}.${encode({ ...claims, role: 'customer' })}.${signature}`;
    await expect(tokens.verify(token, now)).rejects.toMatchObject(invalidToken);
  });

  test.each(['none', 'None', ''])('with alg «%s» and no signature is refused', async (alg) => {
    const token = `${encode({ alg, typ: 'at+jwt', kid: keys[0]?.kid })}.${encode(claims)}.`;
    await expect(tokens.verify(token, now)).rejects.toMatchObject(invalidToken);
  });

  test.each([
    ['its bytes', () => Buffer.from(JSON.parse(key).x, 'base64url')],
    ['its JWK', () => Buffer.from(JSON.stringify(keys[0]?.published))],
  ])('signed by HMAC with the public key, %s, is refused', async (_, secret) => {
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: keys[0]?.kid ?? '' })
      .sign(secret());
    await expect(tokens.verify(token, now)).rejects.toMatchObject(invalidToken);
  });

  test('with any one bit changed is refused', async () => {
    const token = await tokens.issue(user, now);
    const bytes = token.split('.').map((part) => Buffer.from(part, 'base64url'));
    const total = bytes.reduce((sum, part) => sum + part.length * 8, 0);
    await fc.assert(
      fc.asyncProperty(fc.nat(total - 1), async (bit) => {
        const changed = Buffer.concat(bytes);
        changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        const parts = bytes.map((part, index) => {
          const start = bytes.slice(0, index).reduce((sum, { length }) => sum + length, 0);
          return changed.subarray(start, start + part.length).toString('base64url');
        });
        await expect(tokens.verify(parts.join('.'), now)).rejects.toMatchObject(invalidToken);
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
        await expect(tokens.verify(token, now)).rejects.toMatchObject(invalidToken);
      }),
    );
  });
});
