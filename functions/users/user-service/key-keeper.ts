/** The public keys → Postgres, at the start and whenever they change; tried again until it takes them. */
import type { Shell } from '../../runtime/function.ts';
import type { Database } from '../../runtime/postgres.ts';
import { keepKeySet } from '../kept-keys.ts';
import { jwksAt, type SigningKey } from './signing-keys.ts';

const LOOK_EVERY_MS = 2_000;

export function openKeyKeeper(
  { log, onClose }: Pick<Shell, 'log' | 'onClose'>,
  database: Database,
  keys: () => readonly SigningKey[],
  everyMs = LOOK_EVERY_MS,
): void {
  let kept: string | undefined;
  let complaint = '';
  let pending: Promise<void> | undefined;

  const keep = async (): Promise<void> => {
    const jwks = jwksAt(keys(), new Date());
    if (jwks === kept) return;
    try {
      await keepKeySet(database, jwks);
      kept = jwks;
      complaint = '';
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== complaint) log.warn({ error: why }, 'the public keys are not kept in Postgres yet');
      complaint = why;
    }
  };
  const keepOnce = (): void => {
    pending ??= keep().finally(() => {
      pending = undefined;
    });
  };
  keepOnce();
  const timer = setInterval(keepOnce, everyMs).unref();
  onClose(async () => {
    clearInterval(timer);
    await pending;
  });
}
