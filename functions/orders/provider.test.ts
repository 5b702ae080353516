import { expect, test } from 'vitest';
import { openLog } from '../runtime/log.ts';
import { type PaymentProvider, protectProvider } from './provider.ts';

const movement = { key: 'k', orderId: 'o', amountMinor: 100, currency: 'EUR' };

/** A provider that does what it is told to, counts its calls, and its guard. */
function guarded() {
  const asked = { calls: 0, answer: 'good' as 'good' | 'failure' | 'silence' | 'declined', aborted: 0 };
  const provider: PaymentProvider = {
    async charge(_request, signal) {
      asked.calls += 1;
      if (asked.answer === 'failure') throw new Error('connection reset');
      if (asked.answer === 'declined') return { status: 'declined', reason: 'no money' };
      if (asked.answer === 'silence')
        await new Promise((_, reject) =>
          signal.addEventListener('abort', () => {
            asked.aborted += 1;
            reject(signal.reason);
          }),
        );
      return { status: 'succeeded' };
    },
    async refund() {
      asked.calls += 1;
    },
  };
  return { asked, ...protectProvider(provider, { log: openLog('test', 'silent') }) };
}

const failure = { code: 'unavailable', slug: 'payment-provider-unavailable' };
const charge = (one: ReturnType<typeof guarded>) => one.charge({ ...movement, token: 't' });

test('a failed call is tried once more, and then the command later', async () => {
  const one = guarded();
  one.asked.answer = 'failure';
  await expect(charge(one)).rejects.toMatchObject(failure);
  expect(one.asked.calls).toBe(2);
});

test('a call without an answer is given up and told to stop', async () => {
  const one = guarded();
  one.asked.answer = 'silence';
  await expect(charge(one)).rejects.toMatchObject(failure);
  expect(one.asked.aborted).toBe(1);
});

test('a provider that keeps failing is left alone for a while, and asked again after it', async () => {
  const one = guarded();
  one.asked.answer = 'failure';
  for (const _ of [1, 2, 3]) await expect(charge(one)).rejects.toMatchObject(failure);
  expect(one.asked.calls).toBe(5);
  one.asked.answer = 'good';
  const held = await one.refund(movement).catch((error) => error);
  expect(held).toMatchObject(failure);
  expect(held.retryAfterMs).toBeGreaterThan(0);
  expect(one.asked.calls).toBe(5);
  await expect.poll(() => charge(one).catch(() => undefined), { timeout: 20_000 }).toEqual({ status: 'succeeded' });
  await one.refund(movement);
});

test('a payment that is declined is an answer: it opens no breaker', async () => {
  const one = guarded();
  one.asked.answer = 'declined';
  for (const _ of Array.from({ length: 10 }))
    expect(await charge(one)).toEqual({ status: 'declined', reason: 'no money' });
});
