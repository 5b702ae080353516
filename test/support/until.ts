/** Waits for a condition instead of for a time. */
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves to the first truthy value of `probe`; throws, naming `what`, when there is none in time. */
export async function until<T>(what: string, probe: () => Promise<T> | T, timeoutMs = 20_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      last = await probe();
      if (last) return last as NonNullable<T>;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline)
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}; last: ${JSON.stringify(last) ?? last}`, {
        cause: last,
      });
    await delay(20);
  }
}
