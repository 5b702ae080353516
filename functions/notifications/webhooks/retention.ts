/** Deliveries that ended a month ago are removed: a few at a time, on the way, by whoever makes new ones. */
import { toAppError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { Store } from './store.ts';

const EVERY_MS = 60_000;

/** Removes once a minute at most; it never throws, because an event must not wait for it. */
export function openRetention(store: Pick<Store, 'removeOld'>, log: Log, now: () => number = Date.now) {
  let nextMs = 0;
  return async (): Promise<void> => {
    if (now() < nextMs) return;
    nextMs = now() + EVERY_MS;
    try {
      const removed = await store.removeOld();
      if (removed > 0) log.info({ removed }, 'removed old deliveries');
    } catch (error) {
      log.warn({ detail: toAppError(error).message }, 'could not remove old deliveries');
    }
  };
}
