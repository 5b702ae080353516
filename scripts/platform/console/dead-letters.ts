/** Dead letters for the console: listed, shown, and one of them sent again or discarded, which is on record before it is done. */

import { notFound, refused } from '../../../functions/runtime/errors.ts';
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import { record } from '../../operate/dead-letters/audit.ts';
import {
  DEAD_LETTERS,
  type DeadLetter,
  findDeadLetter,
  readDeadLetters,
  removeDeadLetter,
} from '../../operate/dead-letters/dead-letters.ts';
import { redrive, refuseOrphans } from '../../operate/dead-letters/redrive.ts';
import type { DeadLetterLine, DeadLetterWhole } from './wire.ts';

/** Who the record says it was. */
const BY = 'console';
const MOST_DEAD_LETTERS = 200;
const MOST_PAYLOAD = 64_000;

const toLine = ({
  id,
  at,
  function: name,
  error,
  message,
  attempts,
  type,
  subject,
  traceId,
}: DeadLetter): DeadLetterLine => ({
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

export const countDeadLetters = async (bus: Bus): Promise<number> =>
  (await bus.api<{ state: { messages: number } }>(`STREAM.INFO.${DEAD_LETTERS}`)).state.messages;

/** The oldest come first, as they are to be sent again. */
export async function listDeadLetters(bus: Bus): Promise<{ deadLetters: DeadLetterLine[]; total: number }> {
  const deadLetters: DeadLetterLine[] = [];
  for await (const deadLetter of readDeadLetters(bus)) {
    deadLetters.push(toLine(deadLetter));
    if (deadLetters.length === MOST_DEAD_LETTERS) break;
  }
  return { deadLetters, total: await countDeadLetters(bus) };
}

async function deadLetterOf(bus: Bus, id: number): Promise<DeadLetter> {
  const deadLetter = await findDeadLetter(bus, id);
  if (deadLetter) return deadLetter;
  throw notFound('no-such-dead-letter', `There is no dead letter ${id} any more; it was sent again or discarded`);
}

export async function showDeadLetter(bus: Bus, id: number): Promise<DeadLetterWhole> {
  const deadLetter = await deadLetterOf(bus, id);
  const payload = deadLetter.payload.toString('utf8').slice(0, MOST_PAYLOAD);
  return { ...toLine(deadLetter), headers: deadLetter.headers, payload };
}

export async function redriveDeadLetter(bus: Bus, id: number): Promise<{ did: string; deadLetter: DeadLetterLine }> {
  const deadLetter = await deadLetterOf(bus, id);
  await refuseOrphans(bus, [deadLetter]).catch((error: unknown) => {
    throw refused('cannot-redrive', error instanceof Error ? error.message : String(error));
  });
  await redrive(bus, [deadLetter], 1_000, (one) => record(bus, 'redrive', BY, one));
  return { did: 'redriven', deadLetter: toLine(deadLetter) };
}

export async function discardDeadLetter(bus: Bus, id: number): Promise<{ did: string; deadLetter: DeadLetterLine }> {
  const deadLetter = await deadLetterOf(bus, id);
  await record(bus, 'discard', BY, deadLetter);
  await removeDeadLetter(bus, id);
  return { did: 'discarded', deadLetter: toLine(deadLetter) };
}
