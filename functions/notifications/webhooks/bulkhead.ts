/** Room of one endpoint among the attempts of a process: a slow one waits for itself, and not the others for it. */

/** Of the attempts in work, how many may be for one endpoint. */
const ROOM = 4;
const SHORTEST_WAIT_MS = 1_000;
/** Of an attempt, before there was any. */
const FIRST_GUESS_MS = 200;
const LONGEST_WAIT_MS = 300_000;

type Queue = { busy: number; lastMs: number; bookedUntil: number };

export type Bulkhead = {
  /** Does `work` when there is room; else gives the time to come again, in ms from now: those who wait come one by one. */
  run<Result>(
    endpoint: string,
    work: () => Promise<Result>,
  ): Promise<{ readonly done: Result } | { readonly full: true; readonly againMs: number }>;
};

export function openBulkhead(now: () => number = Date.now): Bulkhead {
  const queues = new Map<string, Queue>();

  /** The time at which it is its turn, if all attempts take as long as the last one. */
  const book = (queue: Queue): number => {
    const first = Math.max(queue.bookedUntil, now() + SHORTEST_WAIT_MS);
    queue.bookedUntil = Math.min(first + queue.lastMs / ROOM, now() + LONGEST_WAIT_MS);
    return queue.bookedUntil - now();
  };

  return {
    async run(endpoint, work) {
      const queue = queues.get(endpoint) ?? { busy: 0, lastMs: FIRST_GUESS_MS, bookedUntil: 0 };
      queues.set(endpoint, queue);
      if (queue.busy >= ROOM) return { full: true, againMs: book(queue) };
      const began = now();
      queue.busy += 1;
      try {
        return { done: await work() };
      } finally {
        queue.busy -= 1;
        queue.lastMs = now() - began;
      }
    },
  };
}
