/** What is done with a dead letter → a record of it in stream AUDIT, made before it is done. */

import { newId } from '../../../functions/runtime/ids.ts';
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import type { DeadLetter } from './dead-letters.ts';

/** `by` names whoever does it. */
export async function record(bus: Bus, did: string, by: string, deadLetter: DeadLetter): Promise<void> {
  const { id, function: name, error, origin, type, subject } = deadLetter;
  const about = { id, function: name, error, origin, type, subject };
  // AUDIT holds older records with this field: its name stays.
  const entry = { at: new Date().toISOString(), by, did, letter: about };
  await bus.publish(`audit.dead-letters.${did}`, JSON.stringify(entry), {}, newId());
}
