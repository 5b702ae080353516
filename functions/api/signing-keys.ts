/**
 * The public keys of access tokens, asked of user-service at the first need and kept. They are asked for again every
 * minute, and for a key that is not among them. While user-service is away, the set that it keeps in Postgres serves, and
 * without Postgres those at hand stay good.
 */
import { AppError, toAppError } from '../runtime/errors.ts';
import type { Shell } from '../runtime/function.ts';
import { inSpan, type Trace } from '../runtime/trace.ts';
import { type PublicKey, readKeySet } from '../users/access-token.ts';
import type { UserClient } from '../users/client.ts';

/** A key that was stolen and taken out is believed here for so long; longer while neither user-service nor Postgres answers. */
const REFRESH_MS = 60_000;
/** Others who keep a copy begin with one that is hardly older. */
const SHOWN_MS = 10_000;
/** Between two calls: anybody can make up names of keys, and user-service is not asked about each. */
const PAUSE_MS = 1_000;

/** Both throw `unavailable`, `no-signing-keys`, when the keys are not there and cannot be had at the moment. */
export type SigningKeys = {
  /** All keys as they were at most 10 seconds ago, if they can be had. */
  all(trace: Trace): Promise<readonly PublicKey[]>;
  /** All keys, asked for anew if the one named is not among them; if it still is not, there is no such key. */
  including(kid: string, trace: Trace): Promise<readonly PublicKey[]>;
};

/** `kept` is the JWK set that was kept for when user-service is away. */
export function openSigningKeys(
  { log, onClose }: Pick<Shell, 'log' | 'onClose'>,
  users: Pick<UserClient, 'getSigningKeys'>,
  kept: () => Promise<string | undefined>,
): SigningKeys {
  let keys: readonly PublicKey[] = [];
  let failure: unknown;
  let askedAt = 0;
  let fetching: Promise<void> | undefined;

  const loadKept = async (): Promise<void> => {
    try {
      const jwks = await kept();
      if (jwks) keys = await readKeySet(jwks);
    } catch (error) {
      log.warn({ error: toAppError(error).message, keys: keys.length }, 'could not get the kept signing keys either');
    }
  };
  const load = async (trace: Trace): Promise<void> => {
    try {
      keys = await readKeySet(await users.getSigningKeys(trace));
      failure = undefined;
    } catch (error) {
      failure = error;
      log.warn({ error: toAppError(error).message, keys: keys.length }, 'could not get the signing keys');
      if (toAppError(error).code === 'unavailable') await loadKept();
    }
    askedAt = Date.now();
  };
  /** Requests at the same time share one call. */
  const fetch = (trace: Trace): Promise<void> => {
    fetching ??= load(trace).finally(() => {
      fetching = undefined;
    });
    return fetching;
  };
  const pauseLeft = (): number => askedAt + PAUSE_MS - Date.now();
  /** false when it was done just before. */
  const fetchUnlessPaused = async (trace: Trace): Promise<boolean> => {
    if (!fetching && pauseLeft() > 0) return false;
    await fetch(trace);
    return true;
  };

  const timer = setInterval(() => {
    if (keys.length > 0) void inSpan('refresh signing keys', { parent: undefined }, ({ trace }) => fetch(trace));
  }, REFRESH_MS).unref();
  onClose(() => clearInterval(timer));

  const noKeys = (): AppError =>
    new AppError('unavailable', 'no-signing-keys', 'This access token cannot be checked at the moment; try again', {
      cause: failure,
      retryAfterMs: Math.max(pauseLeft(), 1),
    });
  const has = (kid: string): boolean => keys.some((key) => key.kid === kid);

  return {
    async all(trace) {
      if (keys.length === 0 || Date.now() - askedAt > SHOWN_MS) await fetchUnlessPaused(trace);
      if (keys.length === 0) throw noKeys();
      return keys;
    },
    async including(kid, trace) {
      if (has(kid)) return keys;
      const asked = await fetchUnlessPaused(trace);
      // Only user-service can say that a key is none, and it may have become one since it was asked before.
      if (has(kid) || (asked && failure === undefined)) return keys;
      throw noKeys();
    },
  };
}
