/** Removes what is left of sessions that expired long ago: in small statements, one after the other, beside the calls. */
import { toAppError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { Database } from '../../runtime/postgres.ts';
import { PRUNE_SESSIONS, PRUNE_TOKENS } from './session-statements.ts';
import { query } from './stored.ts';

const BATCH = 1_000;

/** At most `most` tokens each time; what is left, or fails, is for the next time. Nothing while it is under way. */
export function openPruning(database: Database, log: Log, most: number): () => void {
  let busy = false;

  const run = async (): Promise<void> => {
    for (let removed = 0; removed < most; removed += BATCH) {
      const batch = await query(database, PRUNE_TOKENS, [BATCH]);
      if (batch.length < BATCH) break;
    }
    await query(database, PRUNE_SESSIONS, [BATCH]);
  };

  return () => {
    if (busy) return;
    busy = true;
    run()
      .catch((error) => log.warn({ detail: toAppError(error).message }, 'could not remove sessions that have expired'))
      .finally(() => {
        busy = false;
      });
  };
}
