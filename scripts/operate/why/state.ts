/** A entry, and what NATS holds of it now → where it stands. Pure. */
import type { Entry } from './entries.ts';

/** What a message is known by, wherever it lies; its id is '' when it was sent without one. */
type Held = { readonly function: string; readonly messageId: string; readonly traceId: string };
export type Present = {
  readonly deadLetters: readonly (Held & { readonly id: number })[];
  /** `at` is ms since 1970. */
  readonly parked: readonly (Held & { readonly at: number })[];
  /** Function → messages that it has still to do. */
  readonly lag: Readonly<Record<string, number>>;
};

export type State =
  | { readonly is: 'done' }
  /** A rule said no, or the request was wrong. */
  | { readonly is: 'answered'; readonly error: string }
  | { readonly is: 'dead'; readonly error: string; readonly deadLetter: number | undefined }
  /** Its dead letter was redriven or discarded. */
  | { readonly is: 'handled by an operator'; readonly error: string }
  | { readonly is: 'parked'; readonly error: string; readonly at: number }
  | { readonly is: 'working'; readonly since: number }
  /** A timer. */
  | { readonly is: 'scheduled'; readonly at: number }
  | { readonly is: 'queued'; readonly lag: number | undefined }
  /** No span tells of it, and nothing that waits. */
  | { readonly is: 'unheard' };

/** Spans are sent every second, and at a function's end: what is younger may only not be told of yet. */
const YOUNG_MS = 5_000;
const YOUNG_WITHOUT_LAG_MS = 60_000;

const isOf =
  (entry: Entry) =>
  (held: Held): boolean =>
    held.function === entry.function &&
    (held.messageId ? held.messageId === entry.messageId : held.traceId === entry.traceId);

/** Without `present` what the spans say. */
export function stateOf(entry: Entry, present: Present | undefined, now: number): State {
  const last = entry.attempts.at(-1);
  const error = last?.failure?.error ?? 'unknown';
  const deadLetter = present?.deadLetters.findLast(isOf(entry));
  if (deadLetter) return { is: 'dead', error, deadLetter: deadLetter.id };
  const parked = present?.parked.find(isOf(entry));
  if (parked) return { is: 'parked', error, at: parked.at };
  if (!last) {
    const lag = present?.lag[entry.function];
    if (entry.dueAt !== undefined && entry.dueAt > now) return { is: 'scheduled', at: entry.dueAt };
    const waits = (lag ?? 0) > 0 || now - entry.from < (lag === undefined ? YOUNG_WITHOUT_LAG_MS : YOUNG_MS);
    return waits ? { is: 'queued', lag } : { is: 'unheard' };
  }
  if (last.dead)
    return present ? { is: 'handled by an operator', error } : { is: 'dead', error, deadLetter: undefined };
  if (last.dueAt !== undefined) return { is: 'parked', error, at: last.dueAt };
  if (last.end === undefined) return { is: 'working', since: last.start };
  return last.failure ? { is: 'answered', error } : { is: 'done' };
}

const RANKS: Readonly<Record<State['is'], number>> = {
  dead: 4,
  parked: 3,
  working: 2,
  queued: 2,
  done: 1,
  answered: 1,
  'handled by an operator': 1,
  scheduled: 0,
  unheard: 0,
};

/** Above 1 somebody still waits for it. */
export const rankOf = ({ is }: State): number => RANKS[is];
