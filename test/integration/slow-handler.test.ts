import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AppError } from '../../functions/runtime/errors.ts';
import { consume } from '../../functions/runtime/handling/consume.ts';
import { WORKING_EVERY_MS } from '../../functions/runtime/handling/consumer-loop.ts';
import { natsSettings, openBus } from '../../functions/runtime/jetstream/connection.ts';
import type { Incoming } from '../../functions/runtime/messages/message.ts';
import { startBackends } from '../support/backends.ts';
import { testShell } from '../support/shell.ts';
import { until } from '../support/until.ts';

test('a handler that outlasts ackWait keeps its message, and is not given it twice', { timeout: 60_000 }, async () => {
  const ackWaitMs = WORKING_EVERY_MS + 1_000;
  const backends = await startBackends({ consumer: (spec) => ({ ...spec, ackWait: `${ackWaitMs}ms` }) });
  const { shell, close } = testShell(natsSettings, { NATS_URL: backends.natsUrl });
  const bus = await openBus(shell);
  let begun = 0;
  let done = 0;
  const running = consume(
    shell,
    bus,
    { stream: 'ORDERS', consumer: 'order-view', types: [], inFlight: 4, batch: 1, concurrency: 4 },
    async () => {
      begun += 1;
      await delay(ackWaitMs + 2_000);
      done += 1;
    },
  );
  await backends.bus.publish(`order.${randomUUID()}.created`, '{}', {}, randomUUID());
  await until('the message to be handled', () => done === 1, 30_000);
  await until('no lag', async () => (await backends.lag('ORDERS', 'order-view')) === 0);
  expect(begun).toBe(1);
  await running.drain();
  await close();
  await backends.stop();
});

test('a message that was handed back is not held by a neighbour that is still in work', {
  timeout: 60_000,
}, async () => {
  const backends = await startBackends({ consumer: (spec) => ({ ...spec, ackWait: '60s' }) });
  const { shell, close } = testShell(natsSettings, { NATS_URL: backends.natsUrl });
  const bus = await openBus(shell);
  const seen: string[] = [];
  const keyOf = ({ data }: Incoming) => (data as { key: string }).key;
  const publish = (key: string) =>
    backends.bus.publish(`order.${randomUUID()}.created`, JSON.stringify({ key }), {}, randomUUID());
  for (const key of ['bad', 'slow']) await publish(key);
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const running = consume(
    shell,
    bus,
    { stream: 'ORDERS', consumer: 'order-view', types: [], inFlight: 4, batch: 2, concurrency: 2 },
    async (batch) => {
      const keys = batch.map(keyOf);
      if (keys.length > 1) throw new AppError('internal', 'planted', 'together');
      seen.push(...keys);
      // Handed back just before the next time that it is said what is in work.
      if (keys[0] === 'bad' && seen.length === 1) {
        await delay(WORKING_EVERY_MS - 1_500);
        throw new AppError('unavailable', 'planted', 'later', { retryAfterMs: 2_400 });
      }
      if (keys[0] === 'slow') await gate;
    },
  );
  await until('the second try', () => seen.filter((key) => key === 'bad').length === 2, 30_000);
  release();
  await until('no lag', async () => (await backends.undone('ORDERS', 'order-view')) === 0);
  await running.drain();
  await close();
  await backends.stop();
});
