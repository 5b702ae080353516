/** Ends of messages → counters, by type. */
import { count } from './metrics.ts';

type End = 'handled' | 'retried' | 'dead_lettered';
export type CountMessage = (end: End, type: string, how?: Readonly<Record<string, string>>) => void;

/** Types that the function does not take are counted together: anybody may make one up. */
export const countMessages =
  (types: readonly string[]): CountMessage =>
  (end, type, how = {}) =>
    count(`millrace.messages.${end}`, { type: types.includes(type) ? type : 'other', ...how });
