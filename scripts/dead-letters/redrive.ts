/** Dead letters → their functions' retries, the messages about one subject one after another, in the order they had. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from '../../functions/runtime/bus.ts';
import { AppError } from '../../functions/runtime/errors.ts';
import {
  ATTEMPTS_HEADER,
  CARRIED,
  ORIGIN_HEADER,
  RETRIES,
  retriesOf,
  retrySubject,
  waitingSubject,
} from '../../functions/runtime/retries.ts';
import { DEAD_LETTERS, isStored, type Letter, readLetters, removeLetter } from './letters.ts';

export type Redriven = 'redriven' | 'held back';

const WAIT_MS = 30_000;
const LOOK_EVERY_MS = 50;

async function send(bus: Bus, letter: Letter): Promise<void> {
  const headers = Object.fromEntries(Object.entries(letter.headers).filter(([name]) => CARRIED.test(name)));
  const again = { ...headers, [ORIGIN_HEADER]: letter.origin, [ATTEMPTS_HEADER]: '0' };
  await bus.publish(retrySubject(letter.consumer), letter.payload, again, `redrive ${letter.id} ${letter.at}`);
  await removeLetter(bus, letter.id);
}

/** Waits until the function has ended with it; false when it waits for another attempt, or is a dead letter again. */
async function wasHandled(bus: Bus, letter: Letter): Promise<boolean> {
  const path = `CONSUMER.INFO.${RETRIES}.${retriesOf(letter.consumer)}`;
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await delay(LOOK_EVERY_MS)) {
    if (await isStored(bus, RETRIES, retrySubject(letter.consumer))) continue;
    const { num_pending, num_ack_pending } = await bus.api<{ num_pending: number; num_ack_pending: number }>(path);
    if (num_pending + num_ack_pending > 0) continue;
    if (await isStored(bus, RETRIES, waitingSubject(letter.consumer, letter.origin))) return false;
    return !(await isDeadAgain(bus, letter));
  }
  return false;
}

async function isDeadAgain(bus: Bus, letter: Letter): Promise<boolean> {
  for await (const { origin, consumer } of readLetters(bus, letter.id + 1))
    if (origin === letter.origin && consumer === letter.consumer) return true;
  return false;
}

const placeOf = ({ origin }: Letter): number => Number(origin.split(' ')[1] ?? 0);

/** Letters of one function about one subject; those about nothing are each by themselves. */
function groups(letters: readonly Letter[]): Letter[][] {
  const found = new Map<string, Letter[]>();
  for (const letter of [...letters].sort((a, b) => placeOf(a) - placeOf(b))) {
    const key = letter.subject ? `${letter.consumer} ${letter.subject}` : `${letter.id}`;
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
  tell: (letter: Letter, what: Redriven) => Promise<void>,
): Promise<void> {
  for (const group of groups(letters)) {
    let goes = true;
    for (const [index, letter] of group.entries()) {
      if (!goes) {
        await tell(letter, 'held back');
        continue;
      }
      await tell(letter, 'redriven');
      await send(bus, letter);
      await delay(1_000 / rate);
      goes = index === group.length - 1 || (await wasHandled(bus, letter));
    }
  }
}

/** A letter of a function without retries could never leave: there is nobody to take it. */
export async function refuseOrphans(bus: Bus, letters: readonly Letter[]): Promise<void> {
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
