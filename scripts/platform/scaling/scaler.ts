/** What is told about a function at `/_local/functions`, and what every scaler can do. */
import type { Change, Replicas } from './replicas.ts';
import type { Failure, Reading } from './scale.ts';

/** lag: messages or rows not finished, or requests in work or waiting; pending: those of them not begun. */
export type Work = { readonly lag: number; readonly pending: number };
/** What the next decision is made from. Times are ISO. */
export type Grounds =
  | {
      readonly by: 'keda';
      readonly pollingIntervalSeconds: number;
      readonly cooldownSeconds: number;
      readonly scaleDownStabilizationSeconds: number;
      /** Of the last poll. */
      readonly read: readonly (Reading | Failure)[];
      /** When a poll last found something to do. */
      readonly lastActiveAt?: string;
      /** No fewer replicas than these until then: so many were wanted within the stabilisation window. */
      readonly held?: { readonly replicas: number; readonly until: string };
    }
  | {
      readonly by: 'knative';
      readonly targetConcurrency: number;
      readonly utilization: number;
      readonly windowSeconds: number;
      readonly retentionSeconds: number;
      readonly containerConcurrency: number;
      /** Requests at once, on average over the window and over a tenth of it. */
      readonly stable: number;
      readonly sudden: number;
      /** When a request was last waiting or in work. */
      readonly lastActiveAt?: string;
    }
  | { readonly by: 'hpa' };
export type Scaler = {
  work(): Work;
  grounds(): Grounds;
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
  readonly lastChange?: Change;
  /** The newest first, with the last one. */
  readonly changes: readonly Change[];
  readonly scaling: Grounds;
  readonly problem?: string;
};

export function stateOf(
  replicas: Replicas,
  scaler: Scaler | undefined,
  facts: { readonly kind: string; readonly min: number; readonly max: number; readonly threshold?: number },
): FunctionState {
  const changes = replicas.changes();
  const [lastChange] = changes;
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
    changes,
    scaling: scaler?.grounds() ?? { by: 'hpa' },
    ...(problem ? { problem } : {}),
  };
}
