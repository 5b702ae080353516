/** One consumer's messages → the handler: batches, bounded concurrency, and each message ended as its outcome demands. */

import { toAppError } from '../errors.ts';
import type { Running } from '../function.ts';
import type { Bus } from '../jetstream/connection.ts';
import type { DeliveredMessage } from '../jetstream/delivered-message.ts';
import type { PullOptions } from '../jetstream/pull.ts';
import { checkSchedule } from '../jetstream/schedules.ts';
import { fromDelivered, type Incoming, type Outcome } from '../messages/message.ts';
import { type Attempt, dueMsOf, refusing, startAttempt, type Taken as TakenMessage } from './attempt.ts';
import type { CountMessage, TimeMessage } from './message-metrics.ts';

type ConsumerLoopOptions = PullOptions & {
  /** Messages handed to the handler together, at most. */
  readonly batch: number;
  /** Calls of the handler at the same time. */
  readonly concurrency: number;
  /** The message as it first was; throws when that cannot be told. */
  restore(message: DeliveredMessage): DeliveredMessage;
  /** Throws what the message is not handled for. */
  refuse(message: DeliveredMessage): void;
  handle(batch: readonly Incoming[]): Promise<void>;
  readonly counted: CountMessage;
  readonly timed: TimeMessage;
  /** Ends a message whose handling failed. */
  fail(message: DeliveredMessage, incoming: Incoming | undefined, thrown: unknown): Promise<void>;
};

/** Well below every consumer's ackWait. */
export const WORKING_EVERY_MS = 10_000;
/** Longer than any handler may take: then somebody else is to get the message. */
export const WORKING_FOR_MS = 300_000;

type Taken = TakenMessage & { readonly at: number };

export function openConsumerLoop(bus: Bus, options: ConsumerLoopOptions): Running {
  const { stream, consumer, inFlight, batch, concurrency, restore, refuse, handle, counted, timed, fail } = options;
  const waiting: Taken[] = [];
  /** Taken, and not yet acknowledged or handed back. */
  const held = new Set<Taken>();
  const active = new Set<Promise<void>>();
  const openedAt = Date.now();
  let stopped = false;

  const answer = (to: string, outcome: Outcome): void => bus.send(to, JSON.stringify(outcome));

  const done = (taken: readonly Taken[]): void => {
    for (const one of taken) {
      one.message.ack();
      counted('handled', one.incoming.type);
      timed('effect', one.incoming, Date.parse(one.incoming.time));
      held.delete(one);
    }
  };

  const failed = async (taken: readonly Taken[], attempt: Attempt, thrown: unknown): Promise<void> => {
    const ends = taken.map(async (one, index) => {
      await attempt.about(index, () => fail(one.message, one.incoming, thrown));
      held.delete(one);
    });
    await Promise.all(ends);
    attempt.end(thrown);
  };

  const handleTogether = async (taken: readonly Taken[], waited = false): Promise<void> => {
    const attempt = startAttempt(consumer, openedAt, taken, { waited });
    const began = Date.now();
    const ended = (): void => {
      for (const { incoming } of taken) timed('handle', incoming, began);
    };
    try {
      await attempt.run(() => handle(attempt.batch)).finally(ended);
      done(taken);
      attempt.end();
    } catch (thrown) {
      if (taken.length === 1 || toAppError(thrown).code === 'unavailable') return failed(taken, attempt, thrown);
      attempt.split(thrown);
      // One bad message must not hold up its neighbours: each goes again by itself.
      for (const one of taken) await handleTogether([one], true);
    }
  };

  const during = (work: Promise<void>, messages: number): void => {
    const ended = work.finally(() => {
      active.delete(ended);
      for (let one = 0; one < messages; one += 1) pull.done();
      startWork();
    });
    active.add(ended);
  };

  const startWork = (): void => {
    while (!stopped && waiting.length > 0 && active.size < concurrency) {
      const taken = waiting.splice(0, batch);
      for (const { message, incoming } of taken)
        if (message.attempts === 1) timed('wait', incoming, Number(message.storedAtNanos) / 1_000_000);
      during(handleTogether(taken), taken.length);
    }
  };

  const receive = (message: DeliveredMessage): void => {
    if (stopped) return message.nak(0);
    let restored = message;
    try {
      checkSchedule(message);
      restored = restore(message);
      refuse(restored);
      const incoming = fromDelivered(restored, answer);
      const taken = { message: restored, incoming, dueMs: dueMsOf(message), at: Date.now() };
      held.add(taken);
      waiting.push(taken);
      startWork();
    } catch (thrown) {
      during(
        refusing(consumer, restored, thrown, () => fail(restored, undefined, thrown)),
        1,
      );
    }
  };

  const pull = bus.pull({ stream, consumer, inFlight }, receive);

  const sayWorking = setInterval(() => {
    for (const { message, at } of held) if (Date.now() - at < WORKING_FOR_MS) message.working();
  }, WORKING_EVERY_MS);

  return {
    notReady: pull.problem,
    async drain() {
      stopped = true;
      await pull.stop();
      for (const { message } of waiting.splice(0)) message.nak(0);
      await Promise.all(active);
      clearInterval(sayWorking);
    },
  };
}
