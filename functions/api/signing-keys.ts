/**
 * The public keys of access tokens, asked of user-service at the first need and kept. They are asked for again every
 * 5 minutes, and for a key that is not among them; while user-service is away those at hand stay good.
 */
import { toAppError, unavailable } from '../runtime/errors.ts';
import type { Shell } from '../runtime/function.ts';
import { continueTrace, type Trace } from '../runtime/trace.ts';
import { type PublicKey, readKeySet } from '../users/access-token.ts';
import type { UserClient } from '../users/client.ts';

const REFRESH_MS = 300_000;
/** For unknown keys, which anybody can make up. */
const PAUSE_MS = 10_000;
const PAUSE_AFTER_FAILURE_MS = 1_000;

/** Both throw `unavailable`, `no-signing-keys`, when the keys are not there and cannot be had. */
export type SigningKeys = {
  all(trace: Trace): Promise<readonly PublicKey[]>;
  /** All keys, asked for anew if the one named is not among them; it may still not be. */
  including(kid: string, trace: Trace): Promise<readonly PublicKey[]>;
};

export function openSigningKeys(
  { log, onClose }: Pick<Shell, 'log' | 'onClose'>,
  users: Pick<UserClient, 'getSigningKeys'>,
): SigningKeys {
  let keys: readonly PublicKey[] = [];
  let failure: unknown;
  let pauseUntil = 0;
  let fetching: Promise<void> | undefined;

  const load = async (trace: Trace): Promise<void> => {
    try {
      keys = await readKeySet(await users.getSigningKeys(trace));
      failure = undefined;
      pauseUntil = Date.now() + PAUSE_MS;
    } catch (error) {
      failure = error;
      pauseUntil = Date.now() + PAUSE_AFTER_FAILURE_MS;
      log.warn({ error: toAppError(error).message, keys: keys.length }, 'could not get the signing keys');
    }
  };
  /** Requests at the same time share one call. */
  const fetch = (trace: Trace): Promise<void> => {
    fetching ??= load(trace).finally(() => {
      fetching = undefined;
    });
    return fetching;
  };
  const fetchUnlessJustDone = async (trace: Trace): Promise<void> => {
    if (fetching || Date.now() >= pauseUntil) await fetch(trace);
  };

  const timer = setInterval(() => {
    if (keys.length > 0) void fetch(continueTrace(undefined));
  }, REFRESH_MS).unref();
  onClose(() => clearInterval(timer));

  const orThrow = (found: boolean): readonly PublicKey[] => {
    if (found) return keys;
    throw unavailable('no-signing-keys', 'Access tokens cannot be checked at the moment; try again', failure);
  };
  const has = (kid: string): boolean => keys.some((key) => key.kid === kid);

  return {
    async all(trace) {
      if (keys.length === 0) await fetchUnlessJustDone(trace);
      return orThrow(keys.length > 0);
    },
    async including(kid, trace) {
      if (!has(kid)) await fetchUnlessJustDone(trace);
      // Without an answer nobody can say that the key is none.
      return orThrow(has(kid) || failure === undefined);
    },
  };
}
