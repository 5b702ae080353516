/** Lets so many pieces of work run at once and so many wait for their turn; one more is `exhausted` at once. */
import { AppError } from '../../runtime/errors.ts';

export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

const RETRY_AFTER_MS = 1_000;

export function turns(limit: { readonly atOnce: number; readonly waiting: number }): Turns {
  const queue: (() => void)[] = [];
  let running = 0;

  const enter = async (): Promise<void> => {
    if (running < limit.atOnce) {
      running += 1;
      return;
    }
    if (queue.length >= limit.waiting)
      throw new AppError('exhausted', 'too-many-passwords', 'Too many passwords are being checked; try again soon', {
        retryAfterMs: RETRY_AFTER_MS,
      });
    await new Promise<void>((resolve) => queue.push(resolve));
  };

  // The turn goes over to whoever waits longest, so `running` stays as it is.
  const leave = (): void => {
    const next = queue.shift();
    if (next) next();
    else running -= 1;
  };

  return async (work) => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
