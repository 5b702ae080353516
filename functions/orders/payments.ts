/** Movements of money, one in flight an order: written down before the provider is asked, settled with the events. */

import type { Write } from '../runtime/aggregate.ts';
import { AppError, keyReused, refused } from '../runtime/errors.ts';
import { constraintOf, type Database, databaseError, isConflict, transaction } from '../runtime/postgres.ts';

type Payment = {
  /** The command's id, and the provider's idempotency key. */
  readonly paymentId: string;
  readonly orderId: string;
  /** The version at which the amount was decided. */
  readonly version: number;
  readonly kind: 'charge' | 'refund';
  readonly fingerprint: string;
};
type Amount = { readonly amountMinor: number; readonly currency: string };
type Begun = Amount & { readonly fingerprint: string; readonly status: string };

/**
 * What an answer means for the payment of its command, in the transaction of the answer. Events settle it. A refusal takes
 * its id, so that no other delivery of the command begins it afterwards; should it have begun meanwhile, the check on
 * `status` makes the command be decided anew.
 */
export const settlePayment = (events: readonly object[], paymentId: string): Write => ({
  sql: `insert into payments (payment_id, status)
        select payment_id, status from json_to_recordset($rows) as row (payment_id uuid, status text)
        on conflict (payment_id) do update
          set status = case excluded.status when 'refused' then 'begun-meanwhile' else excluded.status end`,
  rows: [{ payment_id: paymentId, status: events.length > 0 ? 'settled' : 'refused' }],
});

/** Another payment of the order is in flight. A refund waits for it; a charge is refused. */
function inFlight({ orderId, kind }: Payment, cause: unknown): AppError {
  const message = `A payment of order ${orderId} is in flight; try again, with a new key, when it is done`;
  if (kind === 'charge') return refused('payment-in-flight', message);
  return new AppError('unavailable', 'payment-in-flight', message, { retryAfterMs: 500, cause });
}

const changed = (orderId: string, cause?: unknown): AppError =>
  new AppError('conflict', 'version-conflict', `Order ${orderId} was changed meanwhile`, { cause });

/**
 * Begins a payment, or finds the one that this command has begun before: then what it asked for stands, whatever has
 * become of the order. Throws `payment-in-flight` while there is another, `conflict` when the order has changed since the
 * amount was decided or the command was refused meanwhile, and `idempotency-key-reused` when it was begun for another
 * request.
 */
export const openPayments =
  (database: Database) =>
  async (payment: Payment, decideAmount: () => Amount): Promise<Amount> => {
    const { paymentId, orderId, version, kind, fingerprint } = payment;
    try {
      const find = `select amount_minor::float8 as "amountMinor", currency, fingerprint, status
                    from payments where payment_id = $1`;
      const { rows } = await database.query<Begun>({ name: 'find-payment', text: find, values: [paymentId] });
      const [begun] = rows;
      if (begun?.status === 'refused') throw changed(orderId);
      if (begun && begun.fingerprint !== fingerprint) throw keyReused();
      if (begun) return begun;
      const amount = decideAmount();
      await transaction(database, async (client) => {
        const insert = `insert into payments (payment_id, order_id, kind, amount_minor, currency, fingerprint)
          values ($1, $2, $3, $4, $5, $6)`;
        await client.query(insert, [paymentId, orderId, kind, amount.amountMinor, amount.currency, fingerprint]);
        // No other payment can begin now; one that ended since the order was read shows in the order's version.
        const newest = 'select coalesce(max(version), 0) as version from order_events where order_id = $1';
        const { rows: versions } = await client.query<{ version: number }>(newest, [orderId]);
        if (versions[0]?.version !== version) throw changed(orderId);
      });
      return amount;
    } catch (error) {
      if (constraintOf(error) === 'payments_in_flight') throw inFlight(payment, error);
      throw isConflict(error) ? changed(orderId, error) : databaseError(error);
    }
  };
