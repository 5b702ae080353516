/** What an endpoint answered, and how often it was tried → whether the delivery has ended, or when it is tried again. Pure. */
import { retryAfterMs } from '../../runtime/outbound.ts';

/** `status` without which there was no answer; `reason` is short and names nothing secret. */
export type Answer = {
  readonly status?: number | undefined;
  readonly reason: string;
  /** The header of that name. */
  readonly retryAfter?: string | undefined;
};

export type Outcome =
  | { readonly end: 'delivered' | 'gone' | 'failed' }
  /** The next attempt, in ms from now. */
  | { readonly end?: never; readonly againMs: number };

const SPREAD = 0.1;

/** `step` is 1 at the first attempt of a delivery; `retrySeconds` are the waits after the first one, the second one, and so on. */
export function outcomeOf(
  { status, retryAfter }: Answer,
  step: number,
  retrySeconds: readonly number[],
  now: number,
  random = Math.random(),
): Outcome {
  if (status !== undefined && status >= 200 && status < 300) return { end: 'delivered' };
  if (status === 410) return { end: 'gone' };
  const seconds = retrySeconds[step - 1];
  if (seconds === undefined) return { end: 'failed' };
  const asked = status === 429 || status === 503 ? (retryAfterMs(retryAfter, now) ?? 0) : 0;
  return { againMs: Math.round(Math.max(seconds * 1_000, asked) * (1 + SPREAD * random)) };
}
