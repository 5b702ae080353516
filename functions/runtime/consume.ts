/** From a consumer to a handler: batches, bounded concurrency, and each message ended as its outcome demands. */
import type { Bus, BusMessage } from './bus.ts';
import { AppError, toAppError } from './errors.ts';
import { endFailed } from './failure.ts';
import type { Running, Shell } from './function.ts';
import { fromBus, type Incoming, type Outcome } from './message.ts';
import type { Pull, PullOptions } from './pull.ts';
import { RETRIES, restored, retriesOf } from './retries.ts';

export type ConsumeOptions = PullOptions & {
  /** Messages handed to the handler together, at most. */
  readonly batch: number;
  /** Calls of the handler at the same time. */
  readonly concurrency: number;
};

/** Messages that are tried again have room of their own, so that they neither hold up new ones nor wait for them. */
export const RETRIES_IN_FLIGHT = 8;

/** Nobody who fails gets so far: it ends its process, or outlasts all that is allowed. */
const MOST_DELIVERIES = 20;

/** Well below every consumer's ackWait. */
export const WORKING_EVERY_MS = 10_000;
/** Longer than any handler may take: then somebody else is to get the message. */
const WORKING_FOR_MS = 300_000;

type Taken = { readonly message: BusMessage; readonly incoming: Incoming; readonly at: number; readonly pull: Pull };

function refuseDeadly({ deliveries }: BusMessage): void {
  if (deliveries > MOST_DELIVERIES)
    throw new AppError('invalid', 'too-many-deliveries', `${deliveries - 1} deliveries came to no end`);
}

export function consume(
  shell: Shell,
  bus: Bus,
  options: ConsumeOptions,
  handle: (batch: readonly Incoming[]) => Promise<void>,
): Running {
  const { stream, consumer, inFlight, batch, concurrency } = options;
  const waiting: Taken[] = [];
  const inWork = new Set<Taken>();
  const active = new Set<Promise<void>>();
  let stopped = false;

  const answer = (to: string, outcome: Outcome): void => bus.send(to, JSON.stringify(outcome));
  const fail = endFailed(shell, bus, consumer);

  const handleTogether = async (taken: readonly Taken[]): Promise<void> => {
    try {
      await handle(taken.map(({ incoming }) => incoming));
      for (const { message } of taken) message.ack();
    } catch (thrown) {
      if (taken.length === 1 || toAppError(thrown).code === 'unavailable') {
        await Promise.all(taken.map(({ message, incoming }) => fail(message, incoming, thrown)));
        return;
      }
      // One bad message must not hold up its neighbours: each goes again by itself.
      for (const one of taken) await handleTogether([one]);
    }
  };

  const during = (work: Promise<void>, end: () => void): void => {
    const ended = work.finally(() => {
      active.delete(ended);
      end();
    });
    active.add(ended);
  };

  const startWork = (): void => {
    while (!stopped && waiting.length > 0 && active.size < concurrency) {
      const taken = waiting.splice(0, batch);
      for (const one of taken) inWork.add(one);
      during(handleTogether(taken), () => {
        for (const one of taken) {
          inWork.delete(one);
          one.pull.done();
        }
        startWork();
      });
    }
  };

  const receive = (message: BusMessage, pull: Pull): void => {
    if (stopped) return message.nak(0);
    try {
      refuseDeadly(message);
      waiting.push({ message, incoming: fromBus(message, answer), at: Date.now(), pull });
      startWork();
    } catch (thrown) {
      during(fail(message, undefined, thrown), () => pull.done());
    }
  };

  const receiveAgain = (message: BusMessage, pull: Pull): void => {
    try {
      receive(restored(message), pull);
    } catch (thrown) {
      during(fail(message, undefined, thrown), () => pull.done());
    }
  };

  const news = bus.pull({ stream, consumer, inFlight }, (message) => receive(message, news));
  const retries = bus.pull({ stream: RETRIES, consumer: retriesOf(consumer), inFlight: RETRIES_IN_FLIGHT }, (message) =>
    receiveAgain(message, retries),
  );

  const sayWorking = setInterval(() => {
    for (const { message, at } of [...inWork, ...waiting]) if (Date.now() - at < WORKING_FOR_MS) message.working();
  }, WORKING_EVERY_MS);

  return {
    notReady: () => (bus.connected() ? (news.problem() ?? retries.problem()) : 'not connected to NATS'),
    async drain() {
      stopped = true;
      await Promise.all([news.stop(), retries.stop()]);
      for (const { message } of waiting.splice(0)) message.nak(0);
      await Promise.all(active);
      clearInterval(sayWorking);
      await bus.flush();
    },
  };
}
