/** nkeys: how a process proves to NATS who it is. A seed is the private half, as text that begins with SU. */
import { readFileSync } from 'node:fs';
import type { Shell } from '../function.ts';
import { ConfigError } from '../settings.ts';
import { nkeys } from './client.ts';

export const newSeed = (): string => new TextDecoder().decode(nkeys.createUser().getSeed());

/** Of the seed in a file; throws when it holds none. */
export const publicKeyOf = (file: string): string => nkeys.fromSeed(readSeed(file)).getPublicKey();

function readSeed(file: string): Uint8Array {
  const seed = new TextEncoder().encode(readFileSync(file, 'utf8').trim());
  nkeys.fromSeed(seed);
  return seed;
}

/**
 * Gives what reads the seed in NATS_SEED_FILE, again at each connection: a key is changed by changing the file. Undefined
 * when the setting is not set; throws ConfigError when the seed has a typing error.
 */
export function openSeed({
  settings,
  log,
}: Shell<{ readonly NATS_SEED_FILE: string | undefined }>): (() => Uint8Array) | undefined {
  const { NATS_SEED_FILE: file } = settings;
  if (!file) return undefined;
  let last: Uint8Array;
  try {
    last = readSeed(file);
  } catch {
    throw new ConfigError(`NATS_SEED_FILE: ${file} holds no seed of an nkey; make one with: npx millrace nkeys`);
  }
  return () => {
    try {
      last = readSeed(file);
    } catch {
      // What is thrown may quote what is in the file.
      log.error({ file }, 'NATS_SEED_FILE holds no seed of an nkey any more; the one before is used');
    }
    return last;
  };
}
