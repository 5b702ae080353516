/** What is done with a dead letter → a record of it in stream AUDIT, made before it is done. */

import { newId } from '../../../functions/runtime/ids.ts';
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import type { Letter } from './dead-letters.ts';

/** `by` names whoever does it. */
export async function record(bus: Bus, did: string, by: string, letter: Letter): Promise<void> {
  const { id, function: name, error, origin, type, subject } = letter;
  const about = { id, function: name, error, origin, type, subject };
  const entry = { at: new Date().toISOString(), by, did, letter: about };
  await bus.publish(`audit.dead-letters.${did}`, JSON.stringify(entry), {}, newId());
}
