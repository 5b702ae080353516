/** Lets so many pieces of work run at once and so many wait for their turn; one more is `exhausted` at once. */
import { AppError } from '../../runtime/errors.ts';
import type { Client } from './client-network.ts';

export type Turns = <T>(work: () => Promise<T>, client: Client) => Promise<T>;

type Limit = {
  readonly atOnce: number;
  readonly waiting: number;
  /** So many of one network run or wait; where the network is not known, they are not counted. */
  readonly ofNetwork: number;
};

const RETRY_AFTER_MS = 1_000;

const tooMany = (): AppError =>
  new AppError('exhausted', 'too-many-passwords', 'Too many passwords are being checked; try again soon', {
    retryAfterMs: RETRY_AFTER_MS,
  });

/** Who does not wait any more gets no turn: the work of a client that has gone throws the reason of its signal. */
export function turns(limit: Limit): Turns {
  const queue = new Set<() => void>();
  const ofNetwork = new Map<string, number>();
  let running = 0;

  const wait = ({ signal }: Client): Promise<void> =>
    new Promise((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener('abort', abandon);
        resolve();
      };
      const abandon = (): void => {
        queue.delete(go);
        reject(signal.reason);
      };
      signal.addEventListener('abort', abandon, { once: true });
      queue.add(go);
    });

  const enter = async (client: Client): Promise<void> => {
    client.signal.throwIfAborted();
    if (running < limit.atOnce) {
      running += 1;
      return;
    }
    if (queue.size >= limit.waiting) throw tooMany();
    await wait(client);
  };

  // The turn goes over to whoever waits longest, so `running` stays as it is.
  const leave = (): void => {
    const [next] = queue;
    if (!next) {
      running -= 1;
      return;
    }
    queue.delete(next);
    next();
  };

  /** Counts the work for its network for as long as it runs or waits. */
  const counted = async <T>(network: string | undefined, work: () => Promise<T>): Promise<T> => {
    if (network === undefined) return work();
    const count = ofNetwork.get(network) ?? 0;
    if (count >= limit.ofNetwork) throw tooMany();
    ofNetwork.set(network, count + 1);
    try {
      return await work();
    } finally {
      const left = (ofNetwork.get(network) ?? 0) - 1;
      if (left > 0) ofNetwork.set(network, left);
      else ofNetwork.delete(network);
    }
  };

  return (work, client) =>
    counted(client.network, async () => {
      await enter(client);
      try {
        return await work();
      } finally {
        leave();
      }
    });
}
