/** Spans, and what NATS holds now → the account: the sentence, each entry, where it stands, and what to do. Pure. */
import type { Span } from '../../platform/telemetry/spans.ts';
import { type Share, type Story, storyOf } from './causes.ts';
import { type Entry, entriesOf, type Functions } from './entries.ts';
import { type Present, rankOf, type State, stateOf } from './state.ts';
import { after, because, duration, effect, failed, instant, lack, standing, taskOf, times } from './words.ts';

export type AccountEntry = { readonly entry: Entry; readonly state: State };
export type Account = {
  /** What took longest, or is not done, and the biggest cause of it, in one sentence. */
  readonly sentence: string;
  readonly entries: readonly AccountEntry[];
  /** Where time went on the way to what the sentence is about, the most first. */
  readonly shares: readonly Share[];
  /** What is not done, a line each; one line when all is. */
  readonly standing: readonly string[];
  readonly advice: readonly string[];
};

/** Nobody asks why of less. */
const SLOW_MS = 1_000;

const countOf = ({ attempts }: Entry): number => Math.max(attempts.length, ...attempts.map(({ number }) => number));

function sentenceOf(story: Story, state: State, now: number): string {
  const { entry, shares, since, until } = story;
  const total = until - since.at;
  const [biggest] = shares;
  const tries = countOf(entry) > 1 ? `, ${times(countOf(entry))}` : '';
  const blame = biggest ? `: ${duration(biggest.ms)} of it ${because(biggest)}${tries}` : '';
  if (state.is === 'dead') {
    const last = entry.attempts.at(-1)?.failure;
    const deadLetter = state.deadLetter === undefined ? 'a dead letter' : `dead letter ${state.deadLetter}`;
    const why = failed(state.error, last?.target, last?.rejected);
    return `${lack(entry)}: ${entry.function} ${why}${tries}, and it is ${deadLetter}.`;
  }
  if (rankOf(state) > 1)
    return `${lack(entry)}, ${duration(total)} ${after(story)}${blame}; it is ${standing(state, now)}.`;
  const done = `${effect(entry)} ${duration(total)} ${after(story)}`;
  if (total < SLOW_MS) return `Nothing was slow: ${done}${tries}.`;
  return `${done}${blame}.`;
}

function adviceOf({ entry, shares }: Story, state: State): string[] {
  const name = entry.function;
  const [biggest] = shares;
  const cause = biggest && biggest.ms >= SLOW_MS ? biggest.cause : undefined;
  const manifest = `knative/functions/${cause?.function}/scaledobject.yaml`;
  if (state.is === 'dead') {
    if (state.deadLetter === undefined)
      return [`npx millrace dead-letters list --function ${name} --error ${state.error}`];
    return [
      `npx millrace dead-letters show ${state.deadLetter}`,
      `When its cause is gone: npx millrace dead-letters redrive ${state.deadLetter}`,
    ];
  }
  if (state.is === 'parked') {
    const target = entry.attempts.at(-1)?.failure?.target;
    return [
      `Nothing, once ${target ?? `what made it fail (${state.error})`} is back: ${name} tries again at ${instant(state.at)}.`,
    ];
  }
  if (state.is === 'queued' || state.is === 'working')
    return [`See whether ${name} runs: GET /_local/functions, its log`];
  if (cause?.kind === 'cold start') return [`To keep one ${cause.function} awake: minReplicaCount: 1 in ${manifest}`];
  if (cause?.kind === 'lag') return [`More at once: a higher maxReplicaCount or a lower lagThreshold in ${manifest}`];
  if (cause?.kind === 'outbox') return [`See in the log of ${name} why the event was not published at once`];
  if (cause?.kind === 'failure') return [`Nothing: it is over. The log of ${cause.function} has more of the error`];
  if (cause?.kind === 'work' && cause.target) return [`See why ${cause.target} was slow`];
  return ['Nothing.'];
}

const lengthOf = ({ until, since }: Story): number => until - since.at;

/** Undefined when no entry is known. `now` is ms since 1970; `subject` leaves out the entries about others. */
export function accountOf(
  spans: readonly Span[],
  functions: Functions,
  present: Present | undefined,
  now: number,
  subject = '',
): Account | undefined {
  const entries = entriesOf(spans, functions, subject);
  const told = entries.map((entry) => ({ entry, state: stateOf(entry, present, now) }));
  const messages = told.filter(({ entry, state }) => entry.kind === 'message' && rankOf(state) > 0);
  const [worst] = (messages.length > 0 ? messages : told)
    .map(({ entry, state }) => ({ story: storyOf(entry, entries, now), state }))
    .sort((a, b) => rankOf(b.state) - rankOf(a.state) || lengthOf(b.story) - lengthOf(a.story));
  if (!worst) return undefined;
  const open = told.filter(({ state }) => rankOf(state) > 1);
  return {
    sentence: sentenceOf(worst.story, worst.state, now),
    entries: told,
    shares: worst.story.shares,
    standing:
      open.length === 0
        ? ['All of it is done.']
        : open.map(({ entry, state }) => `${taskOf(entry)} at ${entry.function} is ${standing(state, now)}.`),
    advice: adviceOf(worst.story, worst.state),
  };
}
