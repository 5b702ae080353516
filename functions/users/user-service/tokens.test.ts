import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { parseSigningKeys, type SigningKey } from './signing-keys.ts';
import { openTokens, type Tokens } from './tokens.ts';

const userId = '01980000-0000-7000-8000-000000000001';
const sessionId = '01980000-0000-7000-8000-000000000002';
const user = { userId, sessionId, role: 'staff' } as const;
const now = new Date('2026-01-01T00:00:00.000Z');
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1_000);
const invalidToken = { code: 'unauthenticated', slug: 'invalid-token' };

const newKeys = async (): Promise<SigningKey[]> => {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
  return parseSigningKeys(JSON.stringify(await exportJWK(privateKey)));
};

let keys: readonly SigningKey[];
let tokens: Tokens;
beforeAll(async () => {
  keys = await newKeys();
  tokens = openTokens(() => keys);
});

test('a token says whose it is, with which role, and until when', async () => {
  const token = await tokens.issue(user, now);
  expect(await tokens.verify(token, now)).toEqual({ ...user, scopes: ['events:push'], expiresAt: later(600) });
});

test("a customer's token has no scope", async () => {
  const token = await tokens.issue({ ...user, role: 'customer' }, now);
  expect(await tokens.verify(token, now)).toMatchObject({ role: 'customer', scopes: [] });
});

test('a token names its type and the thumbprint of its key in the header', async () => {
  const [header = ''] = (await tokens.issue(user, now)).split('.');
  const { alg, typ, kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
  expect({ alg, typ }).toEqual({ alg: 'EdDSA', typ: 'at+jwt' });
  expect(kid).toMatch(/^[\w-]{43}$/);
});

test('a token is good for ten minutes, and then expired', async () => {
  const token = await tokens.issue(user, now);
  await expect(tokens.verify(token, later(599))).resolves.toMatchObject(user);
  await expect(tokens.verify(token, later(600))).rejects.toMatchObject({
    code: 'unauthenticated',
    slug: 'token-expired',
  });
});

test('a token signed by the key before is good as long as that key is in the set', async () => {
  const token = await tokens.issue(user, now);
  const next = await newKeys();
  const both = openTokens(() => [...next, ...keys]);
  expect(await both.verify(token, now)).toMatchObject(user);
  await expect(openTokens(() => next).verify(token, now)).rejects.toMatchObject(invalidToken);
});
