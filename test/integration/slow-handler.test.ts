import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openBus } from '../../functions/runtime/bus.ts';
import { consume, WORKING_EVERY_MS } from '../../functions/runtime/consume.ts';
import { startBackends } from '../support/backends.ts';
import { testShell } from '../support/shell.ts';
import { until } from '../support/until.ts';

test('a handler that outlasts ackWait keeps its message, and is not given it twice', { timeout: 60_000 }, async () => {
  const ackWaitMs = WORKING_EVERY_MS + 1_000;
  const backends = await startBackends({ consumer: (spec) => ({ ...spec, ackWait: `${ackWaitMs}ms` }) });
  const { shell, close } = testShell({ NATS_URL: backends.natsUrl });
  const bus = await openBus(shell);
  let begun = 0;
  let done = 0;
  const running = consume(
    shell,
    bus,
    { stream: 'ORDERS', consumer: 'order-view', inFlight: 4, batch: 1, concurrency: 4 },
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
