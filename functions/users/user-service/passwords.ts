/** Passwords to argon2id hashes and back to yes or no, as much work for an unknown user as for a known one. */
import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import type { Client } from './client-network.ts';
import { turns } from './turns.ts';

export const MIN_CHARACTERS = 10;
export const MAX_CHARACTERS = 128;

/** Argon2id, the library's default algorithm, with OWASP's second choice: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Hashing runs on libuv's four threads; more at once would only wait there. */
const AT_ONCE = Math.min(availableParallelism(), 4);

/** Callers wait two seconds: whoever stood much further back would get no answer in time on a busy machine. */
const WAITING = AT_ONCE * 12;

/** One network's flood, with right passwords or wrong ones, must not keep everybody else waiting. */
const OF_NETWORK = 4;

/** The hash of a random password that nobody kept, with the same cost. */
const NOBODY = '$argon2id$v=19$m=19456,t=2,p=1$yTz4etEEySz/sWt37XY1pw$nBOMSzl5wJrOTpqkbx2bsdVAk0g1M8pCHotHz1SjHIY';

/** The same password typed on another keyboard must be the same characters (NIST SP 800-63B, 3.1.1.2). */
const normalize = (password: string): string => password.normalize('NFKC');

/** Whether a new password has 10 to 128 characters, each counted as one whatever its encoding. */
export function hasGoodLength(password: string): boolean {
  const { length } = [...normalize(password)];
  return length >= MIN_CHARACTERS && length <= MAX_CHARACTERS;
}

export type Passwords = {
  hash(password: string, client: Client): Promise<string>;
  /** False for a missing hash, after the same work. */
  matches(hashed: string | undefined, password: string, client: Client): Promise<boolean>;
};

/** Both throw `exhausted` when too many passwords are being worked on, in all or of the client's network. */
export function openPasswords(
  inTurn = turns({ atOnce: AT_ONCE, waiting: WAITING, ofNetwork: OF_NETWORK }),
  check: typeof verify = verify,
): Passwords {
  return {
    hash: (password, client) => inTurn(() => hash(normalize(password), COST), client),
    async matches(hashed, password, client) {
      const same = await inTurn(() => check(hashed ?? NOBODY, normalize(password)), client);
      return same && hashed !== undefined;
    },
  };
}
