/** The payment provider as a port, guarded. A real one would be one more file. */

import { openCallPolicy } from '../runtime/call-policy.ts';
import { unavailable } from '../runtime/errors.ts';
import type { Shell } from '../runtime/function.ts';
import { inSpan } from '../runtime/trace.ts';

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

/** What they throw means that money may have moved: the same key must be tried again. */
export type PaymentProvider = {
  charge(request: ChargeRequest, signal: AbortSignal): Promise<ChargeResult>;
  refund(request: Movement, signal: AbortSignal): Promise<void>;
};

const BOUNDS = { name: 'payment-provider', timeoutMs: 4_000, retries: 1, halfOpenAfterMs: 5_000 };

/** The provider behind timeout, retry and circuit breaker; every failure is `unavailable`. */
export function protectProvider(provider: PaymentProvider, shell: Pick<Shell, 'log'>) {
  const policy = openCallPolicy(shell, BOUNDS);
  const guarded = <Result>(
    what: string,
    { orderId }: Movement,
    call: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> =>
    inSpan(`payment ${what}`, { kind: 'client', subject: orderId, attributes: { 'peer.service': BOUNDS.name } }, () =>
      policy.run(({ signal }) =>
        call(signal).catch((error) => {
          throw unavailable('payment-provider-unavailable', 'The payment provider does not answer', error);
        }),
      ),
    );
  return {
    charge: (request: ChargeRequest): Promise<ChargeResult> =>
      guarded('charge', request, (signal) => provider.charge(request, signal)),
    refund: (request: Movement): Promise<void> =>
      guarded('refund', request, (signal) => provider.refund(request, signal)),
  };
}
