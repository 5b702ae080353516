/** A folder → the file in it with a key to sign tokens by, made once. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { writePrivate } from '../../platform/servers/secrets.ts';

/** The file of an Ed25519 private JWK, by which user-service signs tokens. */
export async function signingKeyFile(folder: string): Promise<string> {
  const file = path.join(folder, 'signing-key.json');
  if (existsSync(file)) return file;
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(privateKey);
  writePrivate(file, { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'EdDSA', use: 'sig' });
  return file;
}
