/** Movements of money, one in flight an order: written down before the provider is asked, settled with the events. */
import { AppError, refused } from '../runtime/errors.ts';
import type { Write } from '../runtime/event-store.ts';
import { constraintOf, type Database, databaseError, transaction } from '../runtime/postgres.ts';

type Payment = {
  /** The command's id, and the provider's idempotency key. */
  readonly paymentId: string;
  readonly orderId: string;
  /** The version at which the amount was decided. */
  readonly version: number;
  readonly kind: 'charge' | 'refund';
};
type Amount = { readonly amountMinor: number; readonly currency: string };

/** Marks the payment as settled, in the transaction of the events (or of the refusal) that it led to. */
export const settlePayment = (paymentId: string): Write => ({
  sql: `update payments set status = 'settled' from json_to_recordset($rows) as row (payment_id uuid)
        where payments.payment_id = row.payment_id`,
  rows: [{ payment_id: paymentId }],
});

/** Another payment of the order is in flight. A refund waits for it; a charge is refused. */
function inFlight({ orderId, kind }: Payment, cause: unknown): AppError {
  const message = `A payment of order ${orderId} is in flight; try again when it is done`;
  if (kind === 'charge') return refused('payment-in-flight', message);
  return new AppError('unavailable', 'payment-in-flight', message, { retryAfterMs: 500, cause });
}

/**
 * Begins a payment, or finds the one that this command has begun before: then what it asked for stands, whatever has
 * become of the order. Throws `payment-in-flight` while there is another, and `conflict` when the order has changed since
 * the amount was decided.
 */
export const openPayments =
  (database: Database) =>
  async (payment: Payment, decideAmount: () => Amount): Promise<Amount> => {
    const { paymentId, orderId, version, kind } = payment;
    try {
      const find = `select amount_minor::float8 as "amountMinor", currency from payments where payment_id = $1`;
      const { rows } = await database.query<Amount>({ name: 'find-payment', text: find, values: [paymentId] });
      if (rows[0]) return rows[0];
      const amount = decideAmount();
      await transaction(database, async (client) => {
        const insert = `insert into payments (payment_id, order_id, kind, amount_minor, currency) values ($1, $2, $3, $4, $5)`;
        await client.query(insert, [paymentId, orderId, kind, amount.amountMinor, amount.currency]);
        // No other payment can begin now; one that ended since the order was read shows in the order's version.
        const newest = 'select coalesce(max(version), 0) as version from order_events where order_id = $1';
        const { rows: versions } = await client.query<{ version: number }>(newest, [orderId]);
        if (versions[0]?.version !== version)
          throw new AppError('conflict', 'version-conflict', `Order ${orderId} was changed meanwhile`);
      });
      return amount;
    } catch (error) {
      throw constraintOf(error) === 'payments_in_flight' ? inFlight(payment, error) : databaseError(error);
    }
  };
