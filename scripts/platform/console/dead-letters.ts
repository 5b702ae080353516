/** Dead letters for the console: listed, shown, and one of them sent again or dropped, which is on record before it is done. */

import { notFound, refused } from '../../../functions/runtime/errors.ts';
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import { record } from '../../operate/dead-letters/audit.ts';
import {
  DEAD_LETTERS,
  findLetter,
  type Letter,
  readLetters,
  removeLetter,
} from '../../operate/dead-letters/dead-letters.ts';
import { redrive, refuseOrphans } from '../../operate/dead-letters/redrive.ts';
import type { LetterLine, LetterWhole } from './wire.ts';

/** Who the record says it was. */
const BY = 'console';
const MOST_LETTERS = 200;
const MOST_PAYLOAD = 64_000;

const toLine = ({ id, at, function: name, error, message, attempts, type, subject, traceId }: Letter): LetterLine => ({
  id,
  at,
  function: name,
  error,
  message,
  attempts,
  type,
  subject,
  traceId,
});

export const countLetters = async (bus: Bus): Promise<number> =>
  (await bus.api<{ state: { messages: number } }>(`STREAM.INFO.${DEAD_LETTERS}`)).state.messages;

/** The oldest come first, as they are to be sent again. */
export async function listLetters(bus: Bus): Promise<{ letters: LetterLine[]; total: number }> {
  const letters: LetterLine[] = [];
  for await (const letter of readLetters(bus)) {
    letters.push(toLine(letter));
    if (letters.length === MOST_LETTERS) break;
  }
  return { letters, total: await countLetters(bus) };
}

async function letterOf(bus: Bus, id: number): Promise<Letter> {
  const letter = await findLetter(bus, id);
  if (letter) return letter;
  throw notFound('no-such-letter', `There is no dead letter ${id} any more; it was sent again or discarded`);
}

export async function showLetter(bus: Bus, id: number): Promise<LetterWhole> {
  const letter = await letterOf(bus, id);
  const payload = letter.payload.toString('utf8').slice(0, MOST_PAYLOAD);
  return { ...toLine(letter), headers: letter.headers, payload };
}

export async function redriveLetter(bus: Bus, id: number): Promise<{ did: string; letter: LetterLine }> {
  const letter = await letterOf(bus, id);
  await refuseOrphans(bus, [letter]).catch((error: unknown) => {
    throw refused('cannot-redrive', error instanceof Error ? error.message : String(error));
  });
  await redrive(bus, [letter], 1_000, (one) => record(bus, 'redrive', BY, one));
  return { did: 'redriven', letter: toLine(letter) };
}

export async function discardLetter(bus: Bus, id: number): Promise<{ did: string; letter: LetterLine }> {
  const letter = await letterOf(bus, id);
  await record(bus, 'discard', BY, letter);
  await removeLetter(bus, id);
  return { did: 'discarded', letter: toLine(letter) };
}
