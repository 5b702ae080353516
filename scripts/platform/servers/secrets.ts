/** The platform's folder → secrets of its own, made once, readable by their owner alone. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';

/** The file of an Ed25519 private JWK, by which user-service signs tokens. */
export async function signingKeyFile(folder: string): Promise<string> {
  const file = path.join(folder, 'signing-key.json');
  if (existsSync(file)) return file;
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(privateKey);
  writePrivate(file, { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'EdDSA', use: 'sig' });
  return file;
}

/** 96 bits as text that can be pasted anywhere. */
export const newPassword = (): string => randomBytes(12).toString('base64url');

export function writePrivate(file: string, value: unknown, mode = 0o600): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode });
  renameSync(`${file}.new`, file);
}

export function readPrivate<T>(file: string): T | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
}
