/** How messages end, and how long they take → counters and histograms, by type. */
import type { Incoming } from '../messages/message.ts';
import { count, record } from '../metrics.ts';

const COUNTERS = {
  handled: 'millrace.messages.handled',
  failed: 'millrace.messages.failed',
  retried: 'millrace.messages.retried',
  dead_lettered: 'millrace.messages.dead_lettered',
} as const;
const TIMES = {
  wait: 'millrace.message.wait',
  handle: 'millrace.message.handle',
  effect: 'millrace.message.effect',
} as const;

export type CountMessage = (end: keyof typeof COUNTERS, type: string, how?: Readonly<Record<string, string>>) => void;
/** Ends a span of time that began at `since`, in ms since 1970. */
export type TimeMessage = (what: keyof typeof TIMES, incoming: Incoming, since: number) => void;

/** Types that the function does not take are counted together: anybody may make one up. */
const known = (types: readonly string[], type: string): string => (types.includes(type) ? type : 'other');

export const countMessages =
  (types: readonly string[]): CountMessage =>
  (end, type, how = {}) =>
    count(COUNTERS[end], { type: known(types, type), ...how });

export const timeMessages =
  (types: readonly string[]): TimeMessage =>
  (what, { type, trace }, since) =>
    record(TIMES[what], { type: known(types, type) }, (Date.now() - since) / 1_000, trace.traceId);
