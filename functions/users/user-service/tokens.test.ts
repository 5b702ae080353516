import fc from 'fast-check';
import { base64url, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../../runtime/config.ts';
import { openTokens, type Tokens } from './tokens.ts';

const user = { userId: '01980000-0000-7000-8000-000000000001', role: 'staff' } as const;
const now = new Date('2026-01-01T00:00:00.000Z');
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1_000);
const invalidToken = { code: 'unauthenticated', slug: 'invalid-token' };

const newKey = async (): Promise<string> => {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
  return JSON.stringify(await exportJWK(privateKey));
};

let key: string;
let tokens: Tokens;
beforeAll(async () => {
  key = await newKey();
  tokens = await openTokens(key);
});

/** A token signed with the service's own key, right in everything but what is given. */
async function forge(changes: { header?: object; claims?: object; exp?: Date }): Promise<string> {
  const claims = { iss: 'millrace', aud: 'millrace', sub: user.userId, role: 'staff', ...changes.claims };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', ...changes.header })
    .setExpirationTime(changes.exp ?? later(60))
    .sign(await importJWK(JSON.parse(key), 'EdDSA'));
}

const encode = (value: object): string => base64url.encode(JSON.stringify(value));

describe('a token', () => {
  test('says whose it is, with which role, and until when', async () => {
    const token = await tokens.issue(user, now);
    expect(await tokens.validate(token, now)).toEqual({ ...user, expiresAt: later(900) });
  });

  test('names its type and the thumbprint of its key in the header', async () => {
    const [header = ''] = (await tokens.issue(user, now)).split('.');
    const { alg, typ, kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
    expect({ alg, typ }).toEqual({ alg: 'EdDSA', typ: 'at+jwt' });
    expect(kid).toMatch(/^[\w-]{43}$/);
  });

  test('made by hand with everything right is valid, so that the forgeries below fail for their one fault', async () => {
    expect(await tokens.validate(await forge({}), now)).toMatchObject(user);
  });

  test('is good until its last second, and then expired', async () => {
    const token = await tokens.issue(user, now);
    await expect(tokens.validate(token, later(899))).resolves.toMatchObject(user);
    await expect(tokens.validate(token, later(900))).rejects.toMatchObject({
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
  ])('with %s is refused', async (_, changes) => {
    await expect(tokens.validate(await forge(changes), now)).rejects.toMatchObject(invalidToken);
  });

  test('signed by another key is refused', async () => {
    const stranger = await openTokens(await newKey());
    await expect(tokens.validate(await stranger.issue(user, now), now)).rejects.toMatchObject(invalidToken);
  });

  test('with alg none and no signature is refused', async () => {
    const [, payload] = (await tokens.issue(user, now)).split('.');
    const token = `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`;
    await expect(tokens.validate(token, now)).rejects.toMatchObject(invalidToken);
  });

  test('signed by HMAC with the public key is refused', async () => {
    const { x } = JSON.parse(key);
    const claims = { iss: 'millrace', aud: 'millrace', sub: user.userId, role: 'staff' };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .setExpirationTime(later(60))
      .sign(Buffer.from(x, 'base64url'));
    await expect(tokens.validate(token, now)).rejects.toMatchObject(invalidToken);
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
        await expect(tokens.validate(parts.join('.'), now)).rejects.toMatchObject(invalidToken);
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
        await expect(tokens.validate(token, now)).rejects.toMatchObject(invalidToken);
      }),
    );
  });
});

describe('the signing key', () => {
  test.each([
    ['no JSON', () => 'secret-not-json'],
    ['an RSA key', () => JSON.stringify({ kty: 'RSA', n: 'secret', e: 'AQAB' })],
    ['a public key', () => JSON.stringify({ ...JSON.parse(key), d: undefined })],
    ['of a wrong length', () => JSON.stringify({ ...JSON.parse(key), d: 'secret' })],
  ])('that is %s stops the start with a clear message that holds none of it', async (_, content) => {
    const error = await openTokens(content()).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/^SIGNING_KEY_FILE does not hold a private Ed25519 key as a JWK: /);
    expect(error.message).not.toContain('secret');
  });

  test('whose public half belongs to another key stops the start', async () => {
    const { x } = JSON.parse(await newKey());
    const mixed = JSON.stringify({ ...JSON.parse(key), x });
    await expect(openTokens(mixed)).rejects.toBeInstanceOf(ConfigError);
  });
});
