/** Dead letters → their functions' retries, the messages about one subject one after another, in the order they had. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../../functions/runtime/errors.ts';
import {
  ATTEMPTS_HEADER,
  CARRIED,
  ORIGIN_HEADER,
  RETRIES,
  readOrigin,
  retriesOf,
  retrySubject,
  waitingSubject,
} from '../../../functions/runtime/handling/retries.ts';
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import {
  DEAD_LETTERS,
  type DeadLetter,
  isStored,
  lastDeadLetter,
  readDeadLetters,
  removeDeadLetter,
} from './dead-letters.ts';

/** `failed again`: it waits for another attempt, or is a dead letter anew. `no answer`: nothing came of it in 30 s. */
type Outcome = 'handled' | 'failed again' | 'no answer';
export type Redriven = 'redriven' | 'skipped';

const WAIT_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** Gives the stream sequence of the message in RETRIES. */
async function send(bus: Bus, deadLetter: DeadLetter): Promise<number> {
  const headers = Object.fromEntries(Object.entries(deadLetter.headers).filter(([name]) => CARRIED.test(name)));
  const again = { ...headers, [ORIGIN_HEADER]: deadLetter.origin, [ATTEMPTS_HEADER]: '0' };
  const messageId = `redrive ${deadLetter.id} ${deadLetter.at}`;
  const sequence = await bus.publish(retrySubject(deadLetter.consumer), deadLetter.payload, again, messageId);
  await removeDeadLetter(bus, deadLetter.id);
  return sequence;
}

/** What became of a message that was sent; `since` is where DEAD_LETTERS ended before it was. */
async function outcomeOf(bus: Bus, deadLetter: DeadLetter, sequence: number, since: number): Promise<Outcome> {
  const end = Date.now() + WAIT_MS;
  while (await isStored(bus, RETRIES, { seq: sequence })) {
    if (Date.now() > end) return 'no answer';
    await delay(LOOK_EVERY_MS);
  }
  const waits = await isStored(bus, RETRIES, { last_by_subj: waitingSubject(deadLetter.consumer, deadLetter.origin) });
  return waits || (await isDeadAgain(bus, deadLetter, since)) ? 'failed again' : 'handled';
}

async function isDeadAgain(bus: Bus, deadLetter: DeadLetter, since: number): Promise<boolean> {
  for await (const { origin, consumer } of readDeadLetters(bus, since + 1))
    if (origin === deadLetter.origin && consumer === deadLetter.consumer) return true;
  return false;
}

const sequenceOf = ({ origin }: DeadLetter): number => readOrigin(origin)?.sequence ?? 0;

/** The aggregate in the subject that a message had, for one that does not say whom it is about. */
const aboutOf = ({ subject, origin }: DeadLetter): string => {
  const [kind, id, ...rest] = readOrigin(origin)?.subject.split('.') ?? [];
  return subject || (kind !== 'command' && rest.length > 0 ? (id ?? '') : '');
};

/** Dead letters of one function about one subject; those about nothing are each by themselves. */
function groups(deadLetters: readonly DeadLetter[]): DeadLetter[][] {
  const found = new Map<string, DeadLetter[]>();
  for (const deadLetter of [...deadLetters].sort((a, b) => sequenceOf(a) - sequenceOf(b))) {
    const about = aboutOf(deadLetter);
    const key = about ? `${deadLetter.consumer} ${about}` : `${deadLetter.id}`;
    found.set(key, [...(found.get(key) ?? []), deadLetter]);
  }
  return [...found.values()];
}

/**
 * Sends each dead letter to its function again, at most `rate` a second. Of those about one subject the next is sent once the
 * one before is handled; when that fails again the rest of them stay where they are, and nobody else's.
 */
export async function redrive(
  bus: Bus,
  deadLetters: readonly DeadLetter[],
  rate: number,
  report: (deadLetter: DeadLetter, what: Redriven, why?: Outcome) => Promise<void>,
): Promise<void> {
  for (const group of groups(deadLetters)) {
    let before: Outcome = 'handled';
    for (const [index, deadLetter] of group.entries()) {
      if (before !== 'handled') {
        await report(deadLetter, 'skipped', before);
        continue;
      }
      await report(deadLetter, 'redriven');
      const since = await lastDeadLetter(bus);
      const sequence = await send(bus, deadLetter);
      await delay(1_000 / rate);
      if (index < group.length - 1) before = await outcomeOf(bus, deadLetter, sequence, since);
    }
  }
}

/** Throws for dead letters that could not be handled if they were sent, and would be lost to their function: nobody takes them, or nobody could. */
export async function refuseOrphans(bus: Bus, deadLetters: readonly DeadLetter[]): Promise<void> {
  const lost = deadLetters.filter(({ origin }) => !readOrigin(origin));
  if (lost.length > 0)
    throw new Error(
      `dead letter ${lost.map(({ id }) => id).join(', ')} does not say where it was; see show, then discard`,
    );
  for (const consumer of new Set(deadLetters.map((deadLetter) => deadLetter.consumer)))
    try {
      await bus.api(`CONSUMER.INFO.${RETRIES}.${retriesOf(consumer)}`);
    } catch (error) {
      if (!(error instanceof AppError && error.slug === 'jetstream-10014')) throw error;
      throw new Error(
        `there is no consumer ${retriesOf(consumer)} of ${RETRIES} that would take the dead letters of ${consumer} in ${DEAD_LETTERS}`,
      );
    }
}
