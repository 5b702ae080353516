/** A function's two consumers, of what is new and of what is due for another attempt → its handler. */

import { invalid, unavailable } from '../errors.ts';
import type { Running, Shell } from '../function.ts';
import type { Bus } from '../jetstream/connection.ts';
import type { DeliveredMessage } from '../jetstream/delivered-message.ts';
import type { PullOptions } from '../jetstream/pull.ts';
import type { Incoming } from '../messages/message.ts';
import { openConsumerLoop } from './consumer-loop.ts';
import { endFailed } from './failure.ts';
import { countMessages, timeMessages } from './message-metrics.ts';
import { RETRIES, restored, retriesOf } from './retries.ts';

export type ConsumeOptions = PullOptions & {
  /** Of the messages that the function takes. */
  readonly types: readonly string[];
  /** Of the tasks that it takes: no type of an event or a command. */
  readonly tasks?: readonly string[];
  /** Messages handed to the handler together, at most. */
  readonly batch: number;
  /** Calls of the handler at the same time, of each of the two kinds. */
  readonly concurrency: number;
  /** Retries and tasks in work at the same time; 8 unless told. */
  readonly retriesInFlight?: number;
};

/** Retries have room of their own, so that they neither hold up what is new nor wait for it. */
export const RETRIES_IN_FLIGHT = 8;

/** Nobody who fails gets so far: the message ends its process, or is a neighbour of one that does. */
const MOST_DELIVERIES = 10;

const endless = ({ deliveries }: DeliveredMessage): string => `${deliveries - 1} deliveries came to no end`;

/** Parked, each for another time, a message and its neighbours are no longer delivered together. */
function refuseSuspicious(message: DeliveredMessage): void {
  if (message.deliveries > MOST_DELIVERIES) throw unavailable('too-many-deliveries', endless(message));
}

function refuseDeadly(message: DeliveredMessage): void {
  if (message.deliveries > MOST_DELIVERIES)
    throw invalid('too-many-deliveries', `${endless(message)}: it ends its process, or takes too long`);
}

export function consume(
  shell: Shell,
  bus: Bus,
  { stream, consumer, types, tasks = [], inFlight, batch, concurrency, retriesInFlight }: ConsumeOptions,
  handle: (batch: readonly Incoming[]) => Promise<void>,
): Running {
  const away = (): string | undefined => (bus.connected() ? undefined : 'not connected to NATS');
  if (shell.settings.DELIVERY === 'push') return { notReady: away, drain: () => bus.flush() };
  const known = [...types, ...tasks];
  const counted = countMessages(known);
  const both = { batch, handle, counted, timed: timeMessages(known), fail: endFailed(shell, bus, consumer, counted) };
  const news = openConsumerLoop(bus, {
    ...both,
    stream,
    consumer,
    inFlight,
    concurrency,
    restore: (message) => message,
    refuse: refuseSuspicious,
  });
  const retries = openConsumerLoop(bus, {
    ...both,
    stream: RETRIES,
    consumer: retriesOf(consumer),
    inFlight: retriesInFlight ?? RETRIES_IN_FLIGHT,
    concurrency: retriesInFlight ?? Math.min(concurrency, RETRIES_IN_FLIGHT),
    restore: (message) => restored(message, tasks),
    refuse: refuseDeadly,
  });
  return {
    notReady: () => away() ?? news.notReady() ?? retries.notReady(),
    async drain() {
      await Promise.all([news.drain(), retries.drain()]);
      await bus.flush();
    },
  };
}
