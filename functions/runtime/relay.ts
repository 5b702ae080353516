/** Builder of the outbox relay: publishes what a crashed process committed but did not publish. */
import { setTimeout as delay } from 'node:timers/promises';
import { toAppError } from './errors.ts';
import type { Definition } from './function.ts';
import { type NatsSettings, natsSettings, openBus } from './jetstream/connection.ts';
import { setGauge } from './metrics.ts';
import { measureOutbox, openOutbox, readOutbox } from './outbox.ts';
import { type DatabaseSettings, databaseSettings, openDatabase } from './postgres.ts';

const BATCH = 100;

/** Younger rows are most likely being published by the process that wrote them. */
const OLDER_THAN_MS = 2_000;
const PAUSE_MS = 1_000;

/** It publishes whatever lies in the outbox: the events of every context. */
export function relay(): Definition<NatsSettings & DatabaseSettings> {
  return {
    kind: 'relay',
    settings: { ...natsSettings, ...databaseSettings },
    consumes: [],
    publishes: [],
    schedules: [],
    inFlight: BATCH,
    async start(shell) {
      const bus = await openBus(shell);
      const database = openDatabase(shell);
      const outbox = openOutbox(shell, database, bus);
      const stop = new AbortController();
      let problem: string | undefined;

      const measure = async (): Promise<void> => {
        const { depth, oldest } = await measureOutbox(database);
        setGauge('millrace.outbox.depth', {}, depth);
        setGauge('millrace.outbox.oldest_seconds', {}, oldest);
      };

      const relayBatch = async (): Promise<number> => {
        const messages = await readOutbox(database, BATCH, OLDER_THAN_MS);
        await outbox.publish(messages);
        await outbox.removed();
        if (messages.length > 0) shell.log.info({ messages: messages.length }, 'published from the outbox');
        return messages.length;
      };

      const loop = async (): Promise<void> => {
        while (!stop.signal.aborted) {
          try {
            await measure();
            if ((await relayBatch()) === BATCH) continue;
            problem = undefined;
          } catch (error) {
            problem = toAppError(error).message;
            shell.log.warn({ error: problem }, 'cannot relay at the moment');
          }
          await delay(PAUSE_MS, undefined, { signal: stop.signal }).catch(() => undefined);
        }
      };
      const done = loop();

      return {
        notReady: () => (bus.connected() ? problem : 'not connected to NATS'),
        async drain() {
          stop.abort();
          await done;
          await measure().catch(() => undefined);
        },
      };
    },
  };
}
