import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { continueTrace } from '../runtime/trace.ts';
import { ALGORITHM, PARTY, type PublicKey, readKeySet, TYPE } from '../users/access-token.ts';
import { authenticateWith } from './authenticate.ts';

const ID = '00000000-0000-4000-8000-000000000001';
const trace = continueTrace(undefined);
let key: CryptoKey;
let known: readonly PublicKey[];
let keys: readonly PublicKey[];

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM, { crv: 'Ed25519' });
  key = privateKey;
  known = await readKeySet(JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'a' }] }));
});
beforeEach(() => {
  keys = known;
});

const open = () => authenticateWith({ including: async () => keys });
const sign = (role: string, kid = 'a', seconds = 60): Promise<string> =>
  new SignJWT({ role, sid: ID })
    .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
    .setIssuer(PARTY)
    .setAudience(PARTY)
    .setSubject(ID)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1_000) + seconds)
    .sign(key);
const invalid = { code: 'unauthenticated', slug: 'invalid-token' };

test('a token that names a key that there is not is invalid', async () => {
  await expect(open()(await sign('customer', 'made up'), trace)).rejects.toMatchObject(invalid);
});

test('each token is its own caller, however often it comes', async () => {
  const authenticate = open();
  for (const role of ['customer', 'staff', 'customer', 'staff'])
    expect(await authenticate(await sign(role), trace)).toEqual({ userId: ID, role, scopes: [] });
});

test('a signature is checked once for a set of keys', async () => {
  const verify = vi.spyOn(crypto.subtle, 'verify');
  const authenticate = open();
  const token = await sign('customer');
  for (let times = 0; times < 3; times += 1) await authenticate(token, trace);
  expect(verify).toHaveBeenCalledOnce();
  keys = [...known];
  await authenticate(token, trace);
  expect(verify).toHaveBeenCalledTimes(2);
  verify.mockRestore();
});

test('a token that was good is not any more when its key was taken out', async () => {
  const authenticate = open();
  const token = await sign('customer');
  await authenticate(token, trace);
  keys = [];
  await expect(authenticate(token, trace)).rejects.toMatchObject(invalid);
});

test('a token that was good expires', async () => {
  const authenticate = open();
  const token = await sign('customer');
  await authenticate(token, trace);
  vi.setSystemTime(Date.now() + 61_000);
  await expect(authenticate(token, trace)).rejects.toMatchObject({ code: 'unauthenticated', slug: 'token-expired' });
  vi.useRealTimers();
});

test('a token with another signature than the one that was good is invalid', async () => {
  const authenticate = open();
  const token = await sign('customer');
  await authenticate(token, trace);
  const forged = `${token.slice(0, token.lastIndexOf('.') + 1)}${'A'.repeat(86)}`;
  await expect(authenticate(forged, trace)).rejects.toMatchObject(invalid);
});
