import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { EXPIRE_ORDER } from '../../functions/orders/commands.ts';
import type { Bus } from '../../functions/runtime/jetstream/connection.ts';
import { cancelTimer } from '../../functions/runtime/jetstream/schedules.ts';
import { pathsOf } from '../../scripts/platform/servers/data-folder.ts';
import { withBusAs } from '../../scripts/platform/servers/nats/nats-keys.ts';
import { startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let shop: Awaited<ReturnType<typeof startShop>> | undefined;

afterAll(() => shop?.end());

type Running = NonNullable<typeof shop>;

const withBus = <Result>({ endpoints, dataDir }: Running, use: (bus: Bus) => Promise<Result>): Promise<Result> =>
  withBusAs('operator', endpoints.nats, pathsOf(dataDir).secrets, use);

/** Subjects of the commands that wait for another attempt at an expiry, with when they are due. */
const waiting = (running: Running): Promise<{ subject: string; at: number }[]> =>
  withBus(running, async (bus) => {
    const { state } = await bus.api<{ state: { subjects?: Record<string, number> } }>('STREAM.INFO.RETRIES', {
      subjects_filter: 'waiting.expire-order.>',
    });
    const subjects = Object.keys(state.subjects ?? {});
    return Promise.all(
      subjects.map(async (subject) => {
        const { message } = await bus.api<{ message: { hdrs: string } }>('STREAM.MSG.GET.RETRIES', {
          last_by_subj: subject,
        });
        const headers = Buffer.from(message.hdrs, 'base64').toString();
        return { subject, at: Date.parse(/Nats-Schedule: @at (\S+)/.exec(headers)?.[1] ?? '') };
      }),
    );
  });

const atZero = (running: Running) =>
  until(
    'expire-order to be at zero',
    async () => {
      const { replicas, pids } = await running.functionState('expire-order');
      return replicas === 0 && pids.length === 0;
    },
    60_000,
  );

/** An unpaid order that nothing but a retry will expire: ExpireOrder comes at once, and there is no timer. */
async function orderedAndRetried(running: Running): Promise<{ order: string; dueAt: number }> {
  const token = await running.signIn(running.demo.customer);
  const headers = { 'idempotency-key': randomUUID(), prefer: 'wait=20' };
  const sent = { token, headers, body: { lines: [{ sku: 'mug', quantity: 1 }] } };
  const { body } = await running.call('POST', '/v1/orders', sent);
  const timer = `parked.command.order.expire.${body.orderId}`;
  await withBus(running, async (bus) => {
    await until('the timer', async () =>
      bus.api('STREAM.MSG.GET.COMMANDS', { last_by_subj: timer }).then(
        () => true,
        () => false,
      ),
    );
    await cancelTimer(bus, EXPIRE_ORDER, body.orderId);
    await bus.publish('command.order.expire', JSON.stringify({ orderId: body.orderId }), {}, randomUUID());
  });
  await until(
    'the retry to be parked',
    async () => (await waiting(running)).some(({ at }) => at >= Date.parse(body.paymentDueAt)),
    30_000,
  );
  return { order: `/v1/orders/${body.orderId}`, dueAt: Date.parse(body.paymentDueAt) };
}

test('a retry is an hour away, its function at zero; it outlives a restart of everything, and is done on time', {
  timeout: 240_000,
}, async () => {
  shop = await startShop({ PAYMENT_WINDOW_SECONDS: '3600' });
  const far = await orderedAndRetried(shop);
  const [parked] = await waiting(shop);
  expect((parked?.at ?? 0) - Date.now()).toBeGreaterThan(3_500_000);
  await atZero(shop);
  await shop.stop();

  shop = await startShop({ PAYMENT_WINDOW_SECONDS: '45' }, shop);
  const near = await orderedAndRetried(shop);
  await atZero(shop);
  expect(Date.now()).toBeLessThan(near.dueAt);
  await shop.stop();

  shop = await startShop({}, shop);
  const token = await shop.signIn(shop.demo.customer);
  const statusOf = async (order: string): Promise<string> => (await shop?.call('GET', order, { token }))?.body.status;
  await until('the order to expire', async () => (await statusOf(near.order)) === 'expired', 90_000);
  expect(Date.now()).toBeGreaterThanOrEqual(near.dueAt);
  expect(await statusOf(far.order)).toBe('open');
  expect(await waiting(shop)).toEqual([parked]);
});
