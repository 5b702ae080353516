/** The payment provider as a port, behind timeout, retry and circuit breaker. A real one would be one more file. */
import {
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  handleWhen,
  isBrokenCircuitError,
  retry,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { unavailable } from '../runtime/errors.ts';
import type { Shell } from '../runtime/function.ts';
import type { Log } from '../runtime/log.ts';
import type { Database } from '../runtime/postgres.ts';
import { openLocalProvider } from './local-provider.ts';

type Movement = {
  /** Idempotency key: the same key moves money once and gets the same answer. */
  readonly key: string;
  readonly orderId: string;
  /** Integer minor units of `currency` (ISO 4217). */
  readonly amountMinor: number;
  readonly currency: string;
};
export type ChargeRequest = Movement & { readonly token: string };
export type ChargeResult = { readonly status: 'succeeded' } | { readonly status: 'declined'; readonly reason: string };

export type PaymentProvider = {
  charge(request: ChargeRequest, signal: AbortSignal): Promise<ChargeResult>;
  refund(request: Movement, signal: AbortSignal): Promise<void>;
};

const LIMITS = { timeoutMs: 4_000, failuresInARow: 5, openForMs: 5_000 };

/** The provider behind timeout, one retry and circuit breaker. Its failures are `unavailable`: try the same key again. */
export function guard(provider: PaymentProvider, log: Log, limits = LIMITS) {
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: limits.openForMs,
    breaker: new ConsecutiveBreaker(limits.failuresInARow),
  });
  breaker.onBreak(() => log.error({}, 'the payment provider fails: calls are held back'));
  breaker.onReset(() => log.info({}, 'the payment provider answers again'));
  const policy = wrap(
    retry(
      handleWhen((error) => !isBrokenCircuitError(error)),
      { maxAttempts: 1, backoff: new ExponentialBackoff({ initialDelay: 200 }) },
    ),
    breaker,
    timeout(limits.timeoutMs, TimeoutStrategy.Aggressive),
  );
  const guarded = async <Result>(call: (signal: AbortSignal) => Promise<Result>): Promise<Result> => {
    try {
      return await policy.execute(({ signal }) => call(signal));
    } catch (error) {
      // Money may have moved.
      throw unavailable('payment-provider-unavailable', 'The payment provider does not answer', error);
    }
  };
  return {
    charge: (request: ChargeRequest): Promise<ChargeResult> => guarded((signal) => provider.charge(request, signal)),
    refund: (request: Movement): Promise<void> => guarded((signal) => provider.refund(request, signal)),
  };
}

/** The provider in use. */
export const openProvider = ({ log }: Shell, database: Database) => guard(openLocalProvider(database), log);
