import { expect, test } from 'vitest';
import { openLog } from '../runtime/log.ts';
import { guard, type PaymentProvider } from './provider.ts';

const movement = { key: 'k', orderId: 'o', amountMinor: 100, currency: 'EUR' };
const LIMITS = { timeoutMs: 50, failuresInARow: 4, openForMs: 1_000 };

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
  return { asked, ...guard(provider, openLog('test', 'silent'), LIMITS) };
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
  expect(one.asked.aborted).toBe(2);
});

test('a provider that keeps failing is left alone for a while, and asked again after it', async () => {
  const one = guarded();
  one.asked.answer = 'failure';
  await expect(charge(one)).rejects.toMatchObject(failure);
  await expect(charge(one)).rejects.toMatchObject(failure);
  const { calls } = one.asked;
  one.asked.answer = 'good';
  await expect(charge(one)).rejects.toMatchObject(failure);
  await expect(one.refund(movement)).rejects.toMatchObject(failure);
  expect(one.asked.calls).toBe(calls);
  await expect.poll(() => charge(one).catch(() => undefined), { timeout: 10_000 }).toEqual({ status: 'succeeded' });
  await one.refund(movement);
});

test('a payment that is declined is an answer: it opens no breaker', async () => {
  const one = guarded();
  one.asked.answer = 'declined';
  for (const _ of Array.from({ length: 10 }))
    expect(await charge(one)).toEqual({ status: 'declined', reason: 'no money' });
});
