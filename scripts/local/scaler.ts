/** What is told about a function at `/_local/functions`, and what every scaler can do. */
import type { Replicas } from './replicas.ts';

/** lag: messages or rows not finished, or requests in work or waiting; pending: those of them not begun. */
export type Work = { readonly lag: number; readonly pending: number };
export type Scaler = {
  work(): Work;
  /** undefined while it can do its work, else why not. */
  problem(): string | undefined;
  /** Changes nothing any more. */
  stop(): void;
};

export type FunctionState = Work & {
  readonly name: string;
  readonly kind: string;
  /** Wanted now; `ready` of them serve. */
  readonly replicas: number;
  readonly ready: number;
  readonly pids: readonly number[];
  readonly min: number;
  readonly max: number;
  /** Of the lag, what one replica is for; absent where nothing is scaled. */
  readonly threshold?: number;
  readonly lastChange?: { readonly at: string; readonly from: number; readonly to: number; readonly why: string };
  readonly problem?: string;
};

export function stateOf(
  replicas: Replicas,
  scaler: Scaler | undefined,
  facts: { readonly kind: string; readonly min: number; readonly max: number; readonly threshold?: number },
): FunctionState {
  const lastChange = replicas.lastChange();
  const problem = replicas.problem() ?? scaler?.problem();
  return {
    name: replicas.name,
    kind: facts.kind,
    replicas: replicas.wanted(),
    ready: replicas.ready().length,
    pids: replicas.pids(),
    ...(scaler?.work() ?? { lag: 0, pending: 0 }),
    min: facts.min,
    max: facts.max,
    ...(facts.threshold === undefined ? {} : { threshold: facts.threshold }),
    ...(lastChange ? { lastChange } : {}),
    ...(problem ? { problem } : {}),
  };
}
