/** The live stream → the functions as they are, the last minutes of each, and whether the connection is there. */
import { useEffect, useState } from 'preact/hooks';
import type { All, Changed, Counts, FunctionNow, Series } from '../wire.ts';

export type Connection = 'connecting' | 'live' | 'lost';
export type LiveState = {
  readonly connection: Connection;
  readonly functions: readonly FunctionNow[];
  readonly series: Readonly<Record<string, Series>>;
  readonly counts: Counts;
};

const EVERY_MS = 1_000;
const AGAIN_MS = 2_000;
/** Five minutes. */
const MOST_SAMPLES = 300;

let state: LiveState = { connection: 'connecting', functions: [], series: {}, counts: { deadLetters: 0, mails: 0 } };
const listeners = new Set<(state: LiveState) => void>();
let source: EventSource | undefined;

function become(change: Partial<LiveState>): void {
  state = { ...state, ...change };
  for (const listener of listeners) listener(state);
}

const appended = (values: readonly number[] = [], value: number): readonly number[] =>
  [...values, value].slice(-MOST_SAMPLES);

/** A second has passed: what was not pushed has not changed. */
function tick(): void {
  if (state.connection !== 'live') return;
  const series = state.functions.map(({ name, replicas, lag, rate }) => {
    const kept = state.series[name];
    const next = {
      replicas: appended(kept?.replicas, replicas),
      lag: appended(kept?.lag, lag),
      rate: appended(kept?.rate, rate ?? 0),
    };
    return [name, next] as const;
  });
  become({ series: Object.fromEntries(series) });
}

const read = <Data>(event: Event): Data => JSON.parse((event as MessageEvent<string>).data) as Data;

function open(): void {
  source?.close();
  const stream = new EventSource('/console/api/live');
  source = stream;
  stream.addEventListener('all', (event) => {
    const { functions, series, counts } = read<All>(event);
    become({ connection: 'live', functions, series, counts });
  });
  stream.addEventListener('changed', (event) => {
    const { functions: changed, counts } = read<Changed>(event);
    const functions = state.functions.map((fn) => changed.find(({ name }) => name === fn.name) ?? fn);
    become({ functions, ...(counts ? { counts } : {}) });
  });
  stream.addEventListener('error', () => {
    become({ connection: 'lost' });
    // Refused, a browser does not try again by itself.
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => stream === source && open(), AGAIN_MS);
  });
}

/** Begins to listen; a page that is not seen does not. */
export function listen(): void {
  open();
  setInterval(tick, EVERY_MS);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) return open();
    source?.close();
    source = undefined;
  });
}

export function useLive(): LiveState {
  const [seen, setSeen] = useState(state);
  useEffect(() => {
    setSeen(state);
    listeners.add(setSeen);
    return () => void listeners.delete(setSeen);
  }, []);
  return seen;
}
