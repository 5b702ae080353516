/** A function whose handler takes a while and does nothing else; its log says of each message how long it waited. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Definition } from '../../../functions/runtime/function.ts';
import { consume } from '../../../functions/runtime/handling/consume.ts';
import { type NatsSettings, natsSettings, openBus } from '../../../functions/runtime/jetstream/connection.ts';
import { IN_FLIGHT, TAKES_MS } from './facts.ts';

const definition: Definition<NatsSettings> = {
  kind: 'command',
  settings: natsSettings,
  consumes: [],
  publishes: [],
  schedules: [],
  inFlight: IN_FLIGHT,
  async start(shell) {
    const bus = await openBus(shell);
    const options = {
      stream: 'COMMANDS',
      consumer: shell.name,
      types: [],
      inFlight: IN_FLIGHT,
      batch: 1,
      concurrency: IN_FLIGHT,
    };
    return consume(shell, bus, options, async ([message]) => {
      const begunAt = Date.now();
      await delay(TAKES_MS);
      const { sentAt } = (message?.data ?? {}) as { sentAt: number };
      shell.log.info({ waitedMs: begunAt - sentAt, tookMs: Date.now() - begunAt }, 'measured');
    });
  },
};

export default definition;
