import { generateKeyPairSync } from 'node:crypto';
import { base64url } from 'jose';
import { expect, test } from 'vitest';
import { continueTrace } from '../runtime/trace.ts';
import { readKeySet } from '../users/access-token.ts';
import { authenticateWith } from './authenticate.ts';

test('a token that names a key that there is not is invalid', async () => {
  const jwk = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'a' };
  const keys = await readKeySet(JSON.stringify({ keys: [jwk] }));
  const header = base64url.encode(JSON.stringify({ alg: 'EdDSA', typ: 'at+jwt', kid: 'made up' }));
  const authenticate = authenticateWith({ all: async () => keys, including: async () => keys });
  await expect(authenticate(`${header}.e30.AA`, continueTrace(undefined))).rejects.toMatchObject({
    code: 'unauthenticated',
    slug: 'invalid-token',
  });
});
