/** Numbers, times and states → words for people. Pure. */
import type { FunctionNow } from '../wire.ts';

const number = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 1 });
export const count = (value: number): string => number.format(value);

export const plural = (value: number, one: string): string => `${count(value)} ${one}${value === 1 ? '' : 's'}`;

export function duration(ms: number): string {
  if (ms === 0) return '0 s';
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 1_000) return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.round((ms % 60_000) / 1_000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Of a scale from 0: `1:40` for 100 s, `2 h` for 7,200. */
export function mark(seconds: number): string {
  if (seconds >= 3_600 && seconds % 3_600 === 0) return `${seconds / 3_600} h`;
  return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`;
}

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** With the day when it is not today's. */
export function time(at: string | number, now = Date.now()): string {
  const date = new Date(at);
  const today = new Date(now).toDateString() === date.toDateString();
  return today ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

/** An id that nobody can tell from another one at a glance → its end; other names stay. */
export const shortId = (id: string): string =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) ? `…${id.slice(-8)}` : id;

/** `half_done` → `half done`. */
export const plain = (slug: string): string => slug.replaceAll(/[_-]/g, ' ');

/** `return_box` → `Return box`. */
export const title = (name: string): string => plain(name).replace(/^./, (first) => first.toUpperCase());

/** `delivery` → `Deliveries`. */
export function pluralTitle(name: string): string {
  const one = title(name);
  if (/[^aeiou]y$/.test(one)) return one.replace(/y$/, 'ies');
  return /(s|x|z|ch|sh)$/.test(one) ? `${one}es` : `${one}s`;
}

/** The fields of a state that are a status by their name, such as `status` or `routeStatus`. */
export const statuses = (state: Readonly<Record<string, unknown>>): [field: string, status: string][] =>
  Object.entries(state).flatMap(([field, value]) =>
    /status$/i.test(field) && typeof value === 'string' ? [[field, value]] : [],
  );

export type Wakefulness = 'asleep' | 'waking' | 'awake' | 'failing';

export function wakefulness({ replicas, ready, problem }: FunctionNow): Wakefulness {
  if (problem) return 'failing';
  if (replicas === 0) return 'asleep';
  return ready === 0 ? 'waking' : 'awake';
}

/** Why a function has the replicas that it has. */
export function reason(fn: FunctionNow): string {
  if (fn.problem) return fn.problem.split('\n')[0] ?? '';
  if (fn.lastChange) return fn.lastChange.why;
  if (fn.replicas === 0) return 'nothing has come for it yet';
  return fn.min > 0 ? 'always on' : 'as it was at the start';
}
