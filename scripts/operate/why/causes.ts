/** A entry → where the time went, from the request or the timer that began it until its end. Pure. */

import type { Attempt } from './attempts.ts';
import type { Failure } from './calls.ts';
import type { Entry } from './entries.ts';

export type Cause = { readonly function: string } & (
  | { readonly kind: 'lag' | 'cold start' | 'outbox' }
  | { readonly kind: 'failure'; readonly failure: Failure }
  /** `target` is what most of the work was spent waiting for. */
  | { readonly kind: 'work'; readonly target: string | undefined }
);
type Part = { readonly from: number; readonly to: number; readonly cause: Cause };
export type Share = { readonly cause: Cause; readonly ms: number };
export type Story = {
  readonly entry: Entry;
  /** What it is measured from: the request or message that began it, or when it was due. */
  readonly since: { readonly at: number; readonly entry: Entry | 'due' };
  readonly until: number;
  /** The largest first. */
  readonly shares: readonly Share[];
};

/** The wait before an attempt: asleep and starting first, the rest for what it waited for. */
function waited({ wait }: Attempt, name: string, before: Attempt | undefined): Part[] {
  if (!wait) return [];
  const from = Math.max(wait.start, before?.end ?? wait.start);
  const awake = Math.min(wait.end, from + wait.slept + wait.started);
  const rest: Cause = before?.failure
    ? { function: name, kind: 'failure', failure: before.failure }
    : { function: name, kind: 'lag' };
  return [
    { from, to: awake, cause: { function: name, kind: 'cold start' } },
    { from: awake, to: wait.end, cause: rest },
  ];
}

/** From when it was queued on; what comes after a failed attempt, until the next one is due, is that failure's. */
function partsOf(entry: Entry, now: number): Part[] {
  const { function: name, attempts } = entry;
  if (attempts.length === 0) return [{ from: entry.from, to: now, cause: { function: name, kind: 'lag' } }];
  return attempts.flatMap((attempt, index) => {
    const next = attempts[index + 1];
    const { start, end = next?.start ?? now, failure, slow } = attempt;
    const waitsOn = failure && (next?.wait?.start ?? next?.start ?? (attempt.dueAt === undefined ? end : now));
    const work: Cause = failure
      ? { function: name, kind: 'failure', failure }
      : { function: name, kind: 'work', target: slow?.target };
    return [
      ...waited(attempt, name, attempts[index - 1]),
      { from: start, to: Math.max(end, waitsOn ?? end), cause: work },
    ];
  });
}

const clip = (parts: readonly Part[], until: number): Part[] =>
  parts.map((part) => ({ ...part, to: Math.min(part.to, until) })).filter(({ from, to }) => to > from);

type Chain = { readonly since: Story['since']; readonly parts: readonly Part[] };

/** What led to the entry, and the entry itself, without what lies before a timer. */
function chainOf(entry: Entry, entries: readonly Entry[], until: number, now: number, depth = 0): Chain {
  const parts = clip(partsOf(entry, now), until);
  const { sentBy, cameFrom, dueAt } = entry;
  if (!sentBy || dueAt !== undefined) return { since: { at: entry.from, entry: sentBy ? 'due' : entry }, parts };
  const before = entries.find(({ spans }) => cameFrom !== undefined && spans.includes(cameFrom));
  if (!before || depth > entries.length) return { since: { at: Math.min(sentBy.start, entry.from), entry }, parts };
  const ended = before.attempts.at(-1)?.end ?? sentBy.start;
  const left = sentBy.service === before.function ? sentBy.start : Math.min(ended, sentBy.start);
  const chain = chainOf(before, entries, left, now, depth + 1);
  const outbox: Part = { from: left, to: sentBy.start, cause: { function: sentBy.service, kind: 'outbox' } };
  return { since: chain.since, parts: [...chain.parts, ...clip([outbox], sentBy.start), ...parts] };
}

/** Still ending, or not: `now` is the end of what has none. */
const endOf = (entry: Entry, now: number): number => {
  const last = entry.attempts.at(-1);
  return last?.end === undefined || last.dead || last.dueAt !== undefined ? now : last.end;
};

/** Calls that a breaker rejected failed for the same reason as those before them, whatever names their target. */
const keyOf = (cause: Cause): string => {
  const { function: name, kind } = cause;
  if (cause.kind === 'failure') return [name, kind, cause.failure.error].join(' ');
  return [name, kind, cause.kind === 'work' ? cause.target : ''].join(' ');
};

export function storyOf(entry: Entry, entries: readonly Entry[], now: number): Story {
  const until = endOf(entry, now);
  const { since, parts } = chainOf(entry, entries, until, now);
  const shares = [...Map.groupBy(parts, ({ cause }) => keyOf(cause)).values()].flatMap((same) => {
    const [first] = same;
    return first ? [{ cause: first.cause, ms: same.reduce((sum, { from, to }) => sum + to - from, 0) }] : [];
  });
  return { entry, since, until, shares: shares.sort((a, b) => b.ms - a.ms) };
}
