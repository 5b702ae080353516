import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { orders } from '../../functions/orders/order.ts';
import { openPayments, settlePayment } from '../../functions/orders/payments.ts';
import { refused } from '../../functions/runtime/errors.ts';
import { openEventStore } from '../../functions/runtime/store/event-store.ts';
import { continueTrace } from '../../functions/runtime/trace.ts';
import { type Backends, startBackends } from '../support/backends.ts';

let backends: Backends;

beforeAll(async () => {
  backends = await startBackends();
});

afterAll(async () => {
  await backends?.stop();
});

const newPayment = () => ({
  paymentId: randomUUID(),
  orderId: randomUUID(),
  version: 0,
  kind: 'charge' as const,
  fingerprint: 'f',
});

const begin = (payment: ReturnType<typeof newPayment>) =>
  openPayments(backends.database)(payment, () => ({ amountMinor: 100, currency: 'EUR' }));

/** Stores the refusal of the payment's command. */
const refuse = ({ paymentId, orderId }: ReturnType<typeof newPayment>) =>
  openEventStore(backends.database, orders).append(orders.initial, {
    aggregateId: orderId,
    expectedVersion: 0,
    snapshotVersion: 0,
    command: { id: paymentId, type: 'command.test', fingerprint: 'f', actor: 'test' },
    refusal: refused('test', 'no'),
    events: [],
    writes: [settlePayment([], paymentId)],
    now: new Date().toISOString(),
    trace: continueTrace(undefined),
    correlationId: paymentId,
  });

test('a payment whose command was refused begins no more, whoever has not heard of it', async () => {
  const payment = newPayment();
  await refuse(payment);
  await expect(begin(payment)).rejects.toMatchObject({ code: 'conflict' });
});

test('a command whose payment has begun is not refused any more', async () => {
  const payment = newPayment();
  await begin(payment);
  await expect(refuse(payment)).rejects.toMatchObject({ code: 'conflict' });
});

test('of the refusal of a command and the beginning of its payment at the same time, one stands', async () => {
  for (let time = 0; time < 50; time += 1) {
    const payment = newPayment();
    const outcomes = await Promise.allSettled([begin(payment), refuse(payment)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  }
});
