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
import { DEAD_LETTERS, isStored, type Letter, lastLetter, readLetters, removeLetter } from './dead-letters.ts';

/** `failed again`: it waits for another attempt, or is a dead letter anew. `no answer`: nothing came of it in 30 s. */
type Outcome = 'handled' | 'failed again' | 'no answer';
export type Redriven = 'redriven' | 'held back';

const WAIT_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** Gives the place of the message in RETRIES. */
async function send(bus: Bus, letter: Letter): Promise<number> {
  const headers = Object.fromEntries(Object.entries(letter.headers).filter(([name]) => CARRIED.test(name)));
  const again = { ...headers, [ORIGIN_HEADER]: letter.origin, [ATTEMPTS_HEADER]: '0' };
  const messageId = `redrive ${letter.id} ${letter.at}`;
  const sequence = await bus.publish(retrySubject(letter.consumer), letter.payload, again, messageId);
  await removeLetter(bus, letter.id);
  return sequence;
}

/** What became of a message that was sent; `since` is where DEAD_LETTERS ended before it was. */
async function outcomeOf(bus: Bus, letter: Letter, sequence: number, since: number): Promise<Outcome> {
  const end = Date.now() + WAIT_MS;
  while (await isStored(bus, RETRIES, { seq: sequence })) {
    if (Date.now() > end) return 'no answer';
    await delay(LOOK_EVERY_MS);
  }
  const waits = await isStored(bus, RETRIES, { last_by_subj: waitingSubject(letter.consumer, letter.origin) });
  return waits || (await isDeadAgain(bus, letter, since)) ? 'failed again' : 'handled';
}

async function isDeadAgain(bus: Bus, letter: Letter, since: number): Promise<boolean> {
  for await (const { origin, consumer } of readLetters(bus, since + 1))
    if (origin === letter.origin && consumer === letter.consumer) return true;
  return false;
}

const placeOf = ({ origin }: Letter): number => readOrigin(origin)?.sequence ?? 0;

/** The aggregate in the subject that a message had, for one that does not say whom it is about. */
const aboutOf = ({ subject, origin }: Letter): string => {
  const [kind, id, ...rest] = readOrigin(origin)?.subject.split('.') ?? [];
  return subject || (kind !== 'command' && rest.length > 0 ? (id ?? '') : '');
};

/** Letters of one function about one subject; those about nothing are each by themselves. */
function groups(letters: readonly Letter[]): Letter[][] {
  const found = new Map<string, Letter[]>();
  for (const letter of [...letters].sort((a, b) => placeOf(a) - placeOf(b))) {
    const about = aboutOf(letter);
    const key = about ? `${letter.consumer} ${about}` : `${letter.id}`;
    found.set(key, [...(found.get(key) ?? []), letter]);
  }
  return [...found.values()];
}

/**
 * Sends each letter to its function again, at most `rate` a second. Of those about one subject the next is sent once the
 * one before is handled; when that fails again the rest of them stay where they are, and nobody else's.
 */
export async function redrive(
  bus: Bus,
  letters: readonly Letter[],
  rate: number,
  tell: (letter: Letter, what: Redriven, why?: Outcome) => Promise<void>,
): Promise<void> {
  for (const group of groups(letters)) {
    let before: Outcome = 'handled';
    for (const [index, letter] of group.entries()) {
      if (before !== 'handled') {
        await tell(letter, 'held back', before);
        continue;
      }
      await tell(letter, 'redriven');
      const since = await lastLetter(bus);
      const sequence = await send(bus, letter);
      await delay(1_000 / rate);
      if (index < group.length - 1) before = await outcomeOf(bus, letter, sequence, since);
    }
  }
}

/** Letters that could not be handled if they were sent, and would be lost to their function: nobody takes them, or nobody could. */
export async function refuseOrphans(bus: Bus, letters: readonly Letter[]): Promise<void> {
  const lost = letters.filter(({ origin }) => !readOrigin(origin));
  if (lost.length > 0)
    throw new Error(
      `dead letter ${lost.map(({ id }) => id).join(', ')} does not say where it was; see show, then discard`,
    );
  for (const consumer of new Set(letters.map((letter) => letter.consumer)))
    try {
      await bus.api(`CONSUMER.INFO.${RETRIES}.${retriesOf(consumer)}`);
    } catch (error) {
      if (!(error instanceof AppError && error.slug === 'jetstream-10014')) throw error;
      throw new Error(
        `there is no consumer ${retriesOf(consumer)} of ${RETRIES} that would take the letters of ${consumer} in ${DEAD_LETTERS}`,
      );
    }
}
