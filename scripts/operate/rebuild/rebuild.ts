/** A projector's table built anew from the event store, beside the live one, which it replaces; nothing is sent, nothing lost. */
import type pg from 'pg';
import { type ProjectorDefinition, upsert } from '../../../functions/runtime/projector.ts';
import { behind, compare, createFresh, dropFresh, freshOf, replaceLive } from './read-model.ts';
import { replay, sourceOf } from './replay.ts';

const ROWS_A_STATEMENT = 1_000;
/** Readers of the table wait no longer than this for the swap; then they go first, and it is tried again. */
const LOCK_TIMEOUT_MS = 2_000;
const SWAPS = 20;
const CATCH_UPS = 10;
/** So few can be caught up while the projector waits. */
const FEW = 100;

export type Rebuilt = {
  readonly rows: number;
  readonly events: number;
  readonly seconds: number;
  readonly lockedMs: number;
};

type Work = {
  readonly database: pg.Pool;
  readonly projector: ProjectorDefinition;
  readonly say: (line: string) => void;
};

/** Writes the rows of all aggregates, or of those named, to the fresh table. */
async function project(
  { database, projector }: Work,
  target: pg.Pool | pg.PoolClient,
  ids?: readonly string[],
  progress?: (events: number) => void,
): Promise<{ rows: number; events: number }> {
  const fresh = freshOf(projector);
  let [rows, events] = [0, 0];
  let writing: Promise<unknown> = Promise.resolve();
  for await (const made of replay(database, projector, ids)) {
    await writing;
    rows += made.rows.length;
    events += made.events;
    progress?.(events);
    const write = async (): Promise<void> => {
      for (let from = 0; from < made.rows.length; from += ROWS_A_STATEMENT)
        await upsert(target, fresh, made.rows.slice(from, from + ROWS_A_STATEMENT));
    };
    // Written while the next events are made into rows.
    writing = write();
    writing.catch(() => undefined);
  }
  await writing;
  return { rows, events };
}

async function build(work: Work): Promise<{ rows: number; events: number; seconds: number }> {
  const { database, projector, say } = work;
  const { name } = sourceOf(projector);
  const { rows: counted } = await database.query<{ events: number }>(
    `select count(*)::int as events from ${name}_events`,
  );
  const began = performance.now();
  const secondsNow = (): number => Math.max((performance.now() - began) / 1_000, 0.001);
  let saidAt = 0;
  const progress = (events: number): void => {
    if (secondsNow() - saidAt < 1) return;
    saidAt = secondsNow();
    say(`  ${events} of ${counted[0]?.events ?? 0} events, ${Math.round(events / saidAt)} a second`);
  };
  const { rows, events } = await project(work, database, undefined, progress);
  const seconds = secondsNow();
  await database.query(`analyze ${freshOf(projector).table}`);
  say(
    `  built ${rows} rows of ${events} events in ${seconds.toFixed(1)} s, ${Math.round(events / seconds)} events a second`,
  );
  return { rows, events, seconds };
}

/** Until few are behind, or as many as before: rows that no event in the store has made cannot be caught up. */
async function catchUp(work: Work): Promise<void> {
  const { database, projector, say } = work;
  const { name } = sourceOf(projector);
  let before = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < CATCH_UPS; tries += 1) {
    const ids = await behind(database, projector, name);
    if (ids.length <= FEW || ids.length >= before) return;
    before = ids.length;
    await project(work, database, ids);
    say(`  caught up ${ids.length} ${name}s that changed meanwhile`);
  }
}

async function sayComparison({ database, projector, say }: Work): Promise<void> {
  const { same, changed, added } = await compare(database, projector);
  say(`  compared with the live rows: ${same} are the same, ${changed} differ, ${added} are new`);
}

/** Under the lock; what is still behind then, no event in the store has made. */
async function catchUpLast(work: Work, client: pg.PoolClient): Promise<void> {
  const { projector, say } = work;
  const { name } = sourceOf(projector);
  const ids = await behind(client, projector, name);
  if (ids.length === 0) return;
  await project(work, client, ids);
  const strange = (await behind(client, projector, name, ids)).length;
  if (strange > 0) say(`  ${strange} ${name}s have live rows that no event in the store has made; they are not kept`);
}

/** The projector waits from the lock to the commit, and readers from the drop; then all find the new table by its name. */
async function swapOnce(work: Work, client: pg.PoolClient): Promise<number> {
  const { projector } = work;
  await client.query('begin');
  try {
    await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query(`lock table ${projector.table} in share row exclusive mode`);
    const began = performance.now();
    await catchUpLast(work, client);
    await replaceLive(client, projector);
    await client.query('commit');
    return performance.now() - began;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

/** lock_not_available, deadlock_detected */
const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === '55P03' || error.code === '40P01');

async function swap(work: Work, client: pg.PoolClient): Promise<number> {
  const { table } = work.projector;
  for (let tries = 1; ; tries += 1) {
    try {
      return await swapOnce(work, client);
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (tries === SWAPS)
        throw new Error(
          `${table} could not be locked: something has used it for ${(SWAPS * LOCK_TIMEOUT_MS) / 1_000} s without a pause. ` +
            'End the long transaction (select * from pg_stat_activity) and run the rebuild again; the live table is as it was',
          { cause: error },
        );
      work.say(`  a long transaction uses ${table}; trying again`);
      await catchUp(work);
    }
  }
}

/** Throws, and leaves the live table as it was, when anything goes wrong before the swap is committed. */
export async function rebuild(database: pg.Pool, projector: ProjectorDefinition, say: Work['say']): Promise<Rebuilt> {
  const work = { database, projector, say };
  sourceOf(projector);
  const client = await database.connect();
  try {
    const lock = [`millrace rebuild ${projector.table}`];
    const { rows } = await client.query<{ free: boolean }>('select pg_try_advisory_lock(hashtext($1)) as free', lock);
    if (!rows[0]?.free)
      throw new Error(`${projector.table} is being rebuilt by another process; wait until it is done`);
    try {
      await createFresh(database, projector);
      const built = await build(work);
      await catchUp(work);
      await sayComparison(work);
      const lockedMs = await swap(work, client);
      say(`  swapped: the projector waited ${Math.round(lockedMs)} ms`);
      return { ...built, lockedMs };
    } finally {
      await dropFresh(database, projector).catch(() => undefined);
      await client.query('select pg_advisory_unlock(hashtext($1))', lock);
    }
  } finally {
    client.release();
  }
}
