import { afterEach, expect, test } from 'vitest';
import { startBackends } from '../support/backends.ts';
import { startFunction } from '../support/functions.ts';
import { killAtEachWrite } from '../support/killed.ts';
import { each, openOrderFacts } from '../support/order-facts.ts';

/** More than an early expiry may wait for in its consumer: it is parked. */
const env = { PAYMENT_WINDOW_SECONDS: '5' };
/** Most of the time is spent waiting for what is due. */
const AT_THE_SAME_TIME = 3;

let closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.reverse()) await close();
  closers = [];
});

async function open() {
  const backends = await startBackends({ consumer: (spec) => ({ ...spec, ackWait: '1s' }) });
  closers.push(backends.stop);
  const orders = await openOrderFacts(backends);
  for (const name of ['create-order', 'outbox-relay'])
    closers.push((await startFunction(name, backends, { env })).stop);
  return { backends, orders };
}

async function killedAtItsShare(first: number): Promise<void> {
  const { backends, orders } = await open();
  const share = { first, step: AT_THE_SAME_TIME };
  const sendEarly = async (): Promise<string> => {
    const orderId = await orders.ordered();
    await orders.send('expire', { orderId });
    return orderId;
  };
  const ids = await killAtEachWrite(backends, 'expire-order', sendEarly, share);
  await orders.outboxIsEmpty();
  expect(await orders.events(ids)).toEqual(each(ids, 'order.created order.expired'));
  expect(await orders.told('expired', ids)).toEqual([...ids].sort());
  expect(await orders.stock()).toBe(1000);
  expect(await backends.messages('RETRIES')).toEqual([]);
  expect(await backends.messages('DEAD_LETTERS')).toEqual([]);
  const { state } = await backends.bus.api<{ state: { last_seq: number } }>('STREAM.INFO.RETRIES');
  expect(state.last_seq, 'parked ones, and those that were due').toBeGreaterThan(ids.length);
}

test('expire-order killed before any of its writes, while it parks a command and when that is due: one expiry', async () => {
  await Promise.all(Array.from({ length: AT_THE_SAME_TIME }, (_, index) => killedAtItsShare(index + 1)));
}, 400_000);
