/** Calls to what may be away: bounded in time and number, tried again, and rejected while it fails. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, unavailable } from './errors.ts';
import type { Shell } from './function.ts';
import { count, setGauge } from './metrics.ts';
import { currentSpan } from './trace.ts';

type Bounds = {
  /** Of a run in all: waiting for its turn, retries and the pauses before them included. */
  readonly timeoutMs?: number;
  readonly retries?: number;
};
type CallPolicyOptions = Bounds & {
  /** In slugs, messages and metrics, such as `depot`. */
  readonly name: string;
  readonly inFlight?: number;
  readonly queue?: number;
  /** How long the breaker stays open before one call is let through to see whether it works again. */
  readonly halfOpenAfterMs?: number;
};
/** `signal` is aborted at `deadline`, in ms since 1970; the run has failed by then, whatever the work does. */
type Work<Result> = (limit: { readonly signal: AbortSignal; readonly deadline: number }) => Promise<Result>;
export type CallPolicy = {
  /**
   * What `work` resolves to. Whatever it throws is thrown on; only `unavailable` is tried again, and counts as a failure of
   * what is called. Throws `<name>-unavailable` when there is no answer in time, and while the breaker is open;
   * `<name>-overloaded` when too many wait.
   */
  run<Result>(work: Work<Result>, bounds?: Bounds): Promise<Result>;
};
type Outcome<Result> = { readonly result: Result } | { readonly refusal: unknown };

const TIMEOUT_MS = 2_000;
const RETRIES = 2;
const IN_FLIGHT = 64;
const QUEUE = 64;
const FAILURES_IN_A_ROW = 5;
const HALF_OPEN_AFTER_MS = 2_000;
const OVERLOADED_MS = 1_000;

const isUnavailable = (error: unknown): error is AppError => error instanceof AppError && error.code === 'unavailable';

/** 50 to 100 ms, then 200 to 400, or what the called one asks for. */
const pauseMs = (attempt: number, error: AppError): number =>
  Math.max(100 * 4 ** attempt * (0.5 + Math.random() / 2), error.retryAfterMs ?? 0);

async function openLimits({ log }: Pick<Shell, 'log'>, options: CallPolicyOptions) {
  const cockatiel = await import('cockatiel');
  const { name: target, halfOpenAfterMs = HALF_OPEN_AFTER_MS } = options;
  const breaker = cockatiel.circuitBreaker(cockatiel.handleAll, {
    halfOpenAfter: halfOpenAfterMs,
    breaker: new cockatiel.ConsecutiveBreaker(FAILURES_IN_A_ROW),
  });
  const bulkhead = cockatiel.bulkhead(options.inFlight ?? IN_FLIGHT, options.queue ?? QUEUE);
  let heldBackUntil = 0;
  const setState = (state: 0 | 1 | 2): void => setGauge('millrace.breaker.state', { target }, state);
  setState(0);
  breaker.onBreak(() => {
    heldBackUntil = Date.now() + halfOpenAfterMs;
    setState(2);
    count('millrace.breaker.trips', { target });
    currentSpan()?.event('breaker.open', { 'millrace.target': target });
    log.error({ target, forMs: halfOpenAfterMs }, 'calls fail: the breaker is open');
  });
  breaker.onHalfOpen(() => {
    setState(1);
    log.info({ target }, 'one call is let through');
  });
  breaker.onReset(() => {
    setState(0);
    log.info({ target }, 'calls work again');
  });

  const rejected = (why: 'open' | 'full', message: string, retryAfterMs: number): AppError => {
    count('millrace.breaker.rejections', { target, why });
    currentSpan()?.event('breaker.rejected', { 'millrace.target': target });
    const slug = `${target}-${why === 'open' ? 'unavailable' : 'overloaded'}`;
    return new AppError('unavailable', slug, message, { retryAfterMs });
  };
  const overloaded = (): AppError =>
    rejected('full', `Too many calls to '${target}' wait for their turn`, OVERLOADED_MS);
  /** What cockatiel says in our words. */
  const explain = (error: unknown): unknown => {
    if (error instanceof cockatiel.BrokenCircuitError)
      return rejected('open', `'${target}' does not answer at the moment`, Math.max(heldBackUntil - Date.now(), 1));
    if (error instanceof cockatiel.BulkheadRejectedError) return overloaded();
    return error;
  };
  return { breaker, bulkhead, overloaded, explain };
}

/** `promise` rejects with `reason` when the time is over. */
function startClock(timeoutMs: number, reason: () => AppError) {
  const controller = new AbortController();
  const { signal } = controller;
  const promise = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // It may be over before anybody waits.
  promise.catch(() => undefined);
  const timer = setTimeout(() => controller.abort(reason()), timeoutMs);
  return { signal, promise, stop: () => clearTimeout(timer) };
}

/** Loads what it needs at the first run: a cold function that calls nothing pays nothing. */
export function openCallPolicy(shell: Pick<Shell, 'log'>, options: CallPolicyOptions): CallPolicy {
  const { name } = options;
  let opening: ReturnType<typeof openLimits> | undefined;

  return {
    async run<Result>(work: Work<Result>, bounds: Bounds = {}): Promise<Result> {
      opening ??= openLimits(shell, options);
      const { breaker, bulkhead, overloaded, explain } = await opening;
      const { timeoutMs = TIMEOUT_MS, retries = RETRIES } = { ...options, ...bounds };
      const deadline = Date.now() + timeoutMs;
      const late = startClock(timeoutMs, () =>
        unavailable(`${name}-unavailable`, `'${name}' did not answer within ${timeoutMs} ms`),
      );

      /** Only `unavailable` is a failure to the breaker; any other error is an answer, and shows that there is one. */
      const once = async (): Promise<Outcome<Result>> => {
        try {
          return { result: await Promise.race([work({ signal: late.signal, deadline }), late.promise]) };
        } catch (error) {
          if (isUnavailable(error)) throw error;
          return { refusal: error };
        }
      };
      const attempts = async (): Promise<Result> => {
        // What is left for the call would not be its fault.
        if (deadline - Date.now() < timeoutMs / 2) throw overloaded();
        for (let attempt = 0; ; attempt += 1) {
          try {
            const outcome = await breaker.execute(once, late.signal);
            if ('result' in outcome) return outcome.result;
            throw outcome.refusal;
          } catch (error) {
            const pause = isUnavailable(error) ? pauseMs(attempt, error) : Number.POSITIVE_INFINITY;
            if (attempt >= retries || Date.now() + pause >= deadline) throw error;
            await delay(pause);
          }
        }
      };
      try {
        return await Promise.race([bulkhead.execute(attempts, late.signal), late.promise]);
      } catch (error) {
        throw explain(error);
      } finally {
        late.stop();
      }
    },
  };
}
