/** A payment provider for one's own machine: deterministic by token, with a ledger that keeps what it has moved. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../runtime/postgres.ts';
import type { ChargeResult, PaymentProvider } from './provider.ts';

/**
 * Tokens: `tok_ok` succeeds; `tok_declined` is declined; `tok_timeout` does not answer, and
 * says when it is asked again that it has taken nothing; `tok_late` takes
 * the money at once and answers after 6 s, later than anybody waits; `tok_slow` takes and answers after 3 s.
 */
const DELAY_MS: Readonly<Record<string, number>> = { tok_late: 6_000, tok_slow: 3_000 };
const FOR_EVER_MS = 2 ** 31 - 1;
const TAKES = new Set(['tok_ok', 'tok_late', 'tok_slow']);

export function openLocalProvider(database: Database): PaymentProvider {
  /** True when it is written now, false when the key was used before. */
  const write = async (key: string, orderId: string, amountMinor: number, currency: string): Promise<boolean> => {
    const text = `insert into provider_ledger (key, order_id, amount_minor, currency) values ($1, $2, $3, $4)
                  on conflict (key) do nothing`;
    const { rowCount } = await database.query({ name: 'ledger', text, values: [key, orderId, amountMinor, currency] });
    return rowCount === 1;
  };
  return {
    async charge({ key, orderId, amountMinor, currency, token }, signal): Promise<ChargeResult> {
      if (token === 'tok_timeout') {
        if (await write(key, orderId, 0, currency)) await delay(FOR_EVER_MS, undefined, { signal });
        return { status: 'declined', reason: 'timed-out' };
      }
      if (!TAKES.has(token))
        return { status: 'declined', reason: token === 'tok_declined' ? 'declined' : 'unknown-token' };
      if (await write(key, orderId, amountMinor, currency)) await delay(DELAY_MS[token] ?? 0, undefined, { signal });
      return { status: 'succeeded' };
    },
    async refund({ key, orderId, amountMinor, currency }) {
      await write(key, orderId, -amountMinor, currency);
    },
  };
}
