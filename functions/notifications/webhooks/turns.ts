/** Deliveries of an endpoint that are tried again → one after the other, in the order in which they fell due, in a process. */

/** What falls due together comes within this time, in any order. */
const LINGER_MS = 100;
/** Who would have to wait for longer gives up his place in the process, which others need. */
const LONGEST_HELD_MS = 2_000;
const SHORTEST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 300_000;
/** After that long nobody waits for one that was sent away: another process has it. */
const LATE_MS = 5_000;
/** Of an attempt, before there was any. */
const FIRST_GUESS_MS = 200;

type Due = { readonly id: string; readonly dueMs: number };
type Waiting = Due & { readonly answer: (againMs: number) => void };

type Line = {
  busy: boolean;
  lastMs: number;
  waiting: Waiting[];
  /** Sent away, by their ids: nobody who fell due later overtakes them. */
  readonly away: Map<string, { readonly dueMs: number; readonly comesMs: number }>;
  linger?: NodeJS.Timeout | undefined;
};

export type Turns = {
  /** Does `work` when it is the turn of `one`; or gives the time to come again, in ms from now, when that takes long. */
  run<Result>(
    endpoint: string,
    one: Due,
    work: () => Promise<Result>,
  ): Promise<{ readonly done: Result } | { readonly full: true; readonly againMs: number }>;
};

export function openTurns(now: () => number = Date.now): Turns {
  const lines = new Map<string, Line>();

  /** How many of those that wait, the first ones, may stay. */
  const mayStay = ({ busy, lastMs, waiting, away }: Line): number => {
    const room = Math.floor(LONGEST_HELD_MS / Math.max(lastMs, 1)) + (busy ? 0 : 1);
    const earliestAway = Math.min(...[...away.values()].map(({ dueMs }) => dueMs));
    return Math.min(room, waiting.filter(({ dueMs }) => dueMs <= earliestAway).length);
  };

  const sendAway = ({ busy, lastMs, waiting, away }: Line, { id, dueMs, answer }: Waiting): void => {
    const awayBefore = [...away.values()].filter((other) => other.dueMs <= dueMs).length;
    const before = awayBefore + waiting.length + (busy ? 1 : 0);
    const againMs = Math.min(Math.max(before * lastMs, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
    away.set(id, { dueMs, comesMs: now() + againMs });
    answer(againMs);
  };

  const next = (line: Line): void => {
    for (const [id, { comesMs }] of line.away) if (comesMs + LATE_MS < now()) line.away.delete(id);
    line.waiting.sort((a, b) => a.dueMs - b.dueMs);
    for (const one of line.waiting.splice(mayStay(line))) sendAway(line, one);
    if (line.busy) return;
    const first = line.waiting.shift();
    line.busy = first !== undefined;
    first?.answer(0);
  };

  const linger = (line: Line): void => {
    clearTimeout(line.linger);
    line.linger = setTimeout(() => {
      line.linger = undefined;
      next(line);
    }, LINGER_MS);
  };

  return {
    async run(endpoint, { id, dueMs }, work) {
      const line: Line = lines.get(endpoint) ?? { busy: false, lastMs: FIRST_GUESS_MS, waiting: [], away: new Map() };
      lines.set(endpoint, line);
      line.away.delete(id);
      const againMs = await new Promise<number>((answer) => {
        line.waiting.push({ id, dueMs, answer });
        linger(line);
      });
      if (againMs > 0) return { full: true, againMs };
      const began = now();
      try {
        return { done: await work() };
      } finally {
        line.lastMs = now() - began;
        line.busy = false;
        if (!line.linger) next(line);
      }
    },
  };
}
