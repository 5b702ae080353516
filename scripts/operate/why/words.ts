/** Times, causes and states → words. Pure. */
import { shownName } from './calls.ts';
import type { Share, Story } from './causes.ts';
import type { Entry } from './entries.ts';
import type { State } from './state.ts';

/** `120 ms`, `42.1 s`, `5 min 12 s`, `3 h 5 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(Math.max(0, ms))} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/** In UTC. */
export const instant = (ms: number): string => new Date(ms).toISOString();
export const clock = (ms: number): string => instant(ms).slice(11, 23);

export const times = (attempts: number): string => `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;

export const failed = (error: string, target: string | undefined, rejected = false): string => {
  if (target === undefined) return `failed with ${error}`;
  return `${rejected ? 'had its calls rejected by the circuit breaker of' : 'could not reach'} ${target} (${error})`;
};

export function because({ cause }: Share): string {
  const { function: name } = cause;
  if (cause.kind === 'failure') return `waiting because ${name} ${failed(cause.failure.error, cause.failure.target)}`;
  if (cause.kind === 'work')
    return cause.target ? `waiting for ${cause.target}, which ${name} called` : `with ${name} at work`;
  if (cause.kind === 'lag') return `in the queue of ${name}`;
  if (cause.kind === 'cold start') return `because ${name} slept and had to start`;
  return `in the outbox, until ${name} sent it`;
}

export const taskOf = ({ what }: Entry): string => shownName(what);

export function after({ since, entry }: Story): string {
  if (since.entry === 'due') return 'after it was due';
  if (since.entry === entry) return entry.kind === 'request' ? 'after it came' : 'after it was sent';
  return `after ${taskOf(since.entry)}`;
}

/** What was to happen, and did. */
export function effect(entry: Entry): string {
  if (entry.notifies) return `The notification of ${shownName(entry.function)} went out`;
  if (entry.kind === 'request') return `${taskOf(entry)} was answered with ${entry.status ?? 'nothing'}`;
  return `${shownName(entry.function)} was done with ${taskOf(entry)}`;
}

/** What was to happen, and did not. */
export const lack = (entry: Entry): string =>
  entry.notifies
    ? `The notification of ${shownName(entry.function)} has not gone out`
    : `${shownName(entry.function)} is not done with ${taskOf(entry)}`;

/** Where it stands, as the end of a sentence that begins with it. */
export function standing(state: State, now: number): string {
  switch (state.is) {
    case 'done':
      return 'done';
    case 'answered':
      return `answered with ${state.error}`;
    case 'dead':
      return `given up with ${state.error}: dead letter${state.deadLetter === undefined ? '' : ` ${state.deadLetter}`}`;
    case 'handled by an operator':
      return `given up with ${state.error}; its dead letter is there no more`;
    case 'parked':
      return state.at > now
        ? `parked until ${instant(state.at)}, in ${duration(state.at - now)}`
        : `due for another attempt since ${instant(state.at)}`;
    case 'working':
      return `begun ${duration(now - state.since)} ago, and not heard of since`;
    case 'queued':
      return `in the queue${state.lag === undefined ? '' : `, with ${state.lag} to do`}`;
    case 'scheduled':
      return `a timer, due at ${instant(state.at)} unless it is cancelled`;
    case 'unheard':
      return 'not heard of: its spans are not kept, or it was cancelled';
  }
}
