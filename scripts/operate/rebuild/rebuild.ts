/** A projector's tables built anew from its events, beside the live ones, which they replace; nothing is sent, nothing lost. */
import type pg from 'pg';
import { toAppError } from '../../../functions/runtime/errors.ts';
import type { ProjectorDefinition, ReadEvent } from '../../../functions/runtime/handling/projection.ts';
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import {
  analyzeFresh,
  compare,
  countBehind,
  countFresh,
  createFresh,
  dropFresh,
  FRESH,
  replaceLive,
} from './read-model.ts';
import type { Replayed, Source } from './replayed.ts';
import { sourceOf } from './source.ts';

const EVENTS_A_STATEMENT = 1_000;
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
  readonly source: Source;
  readonly say: (line: string) => void;
};

/** Writes events to the fresh tables; passes over those that live became dead letters. */
async function write(work: Work, target: pg.Pool | pg.PoolClient, events: readonly ReadEvent[]): Promise<void> {
  const { projector, source } = work;
  if (events.length === 0) return;
  try {
    await projector.write(target, events, FRESH);
  } catch (error) {
    if (!source.unchecked || toAppError(error).code !== 'invalid') throw error;
    if (events.length === 1) return;
    for (const event of events) await write(work, target, [event]);
  }
}

/** Gives how many were read. */
async function project(
  work: Work,
  target: pg.Pool | pg.PoolClient,
  batches: AsyncIterable<Replayed>,
  progress?: (read: number) => void,
): Promise<number> {
  let total = 0;
  let writing: Promise<unknown> = Promise.resolve();
  for await (const { events, read } of batches) {
    await writing;
    total += read;
    progress?.(total);
    const writeAll = async (): Promise<void> => {
      for (let from = 0; from < events.length; from += EVENTS_A_STATEMENT)
        await write(work, target, events.slice(from, from + EVENTS_A_STATEMENT));
    };
    // Written while the next events are read.
    writing = writeAll();
    writing.catch(() => undefined);
  }
  await writing;
  return total;
}

async function build(work: Work): Promise<{ rows: number; events: number; seconds: number }> {
  const { database, projector, source, say } = work;
  const count = await source.count();
  const began = performance.now();
  const secondsNow = (): number => Math.max((performance.now() - began) / 1_000, 0.001);
  let saidAt = 0;
  const progress = (read: number): void => {
    if (secondsNow() - saidAt < 1) return;
    saidAt = secondsNow();
    say(`  ${read} of ${count} events, ${Math.round(read / saidAt)} a second`);
  };
  const events = await project(work, database, source.all(), progress);
  const seconds = secondsNow();
  await analyzeFresh(database, projector);
  const rows = await countFresh(database, projector);
  say(
    `  built ${rows} rows of ${events} events in ${seconds.toFixed(1)} s, ${Math.round(events / seconds)} events a second`,
  );
  return { rows, events, seconds };
}

/** Until few are behind, or as many as before: what no event has made cannot be caught up. */
async function catchUp(work: Work): Promise<void> {
  const { database, source, say } = work;
  let before = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < CATCH_UPS; tries += 1) {
    const { count, what, read, written } = await source.missing(database);
    if (count <= FEW || count >= before) return;
    before = count;
    await project(work, database, read());
    written();
    say(`  caught up ${count} ${what} that changed meanwhile`);
  }
}

async function sayComparison({ database, projector, say }: Work): Promise<void> {
  const { same, changed, added } = await compare(database, projector);
  say(`  compared with the live rows: ${same} are the same, ${changed} differ, ${added} are new`);
}

/** Under the lock; what is still behind then, no event has made. */
async function catchUpLast(work: Work, client: pg.PoolClient): Promise<void> {
  const { projector, source, say } = work;
  if ((await countBehind(client, projector)) === 0) return;
  const { read } = await source.missing(client);
  await project(work, client, read());
  const strange = await countBehind(client, projector);
  const what = projector.applied ? 'events were added' : 'rows were live';
  if (strange > 0) say(`  ${strange} ${what} of which ${source.place} knows nothing; they are not kept`);
}

/** The projector waits from the lock to the commit, and readers from the drop; then all find the new tables by their names. */
async function swapOnce(work: Work, client: pg.PoolClient): Promise<number> {
  const { projector } = work;
  await client.query('begin');
  try {
    await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query(`lock table ${projector.tables.join(', ')} in share row exclusive mode`);
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

const noNats = (): Promise<Bus> => Promise.reject(new Error('The events are in their stream alone: connect to NATS'));

/**
 * `connect` gives NATS when the events are in their stream alone. Throws, and leaves the live tables as they were, when
 * anything goes wrong before the swap is committed.
 */
export async function rebuild(
  database: pg.Pool,
  projector: ProjectorDefinition,
  say: Work['say'],
  connect: () => Promise<Bus> = noNats,
): Promise<Rebuilt> {
  const source = await sourceOf(database, projector, connect);
  const work = { database, projector, source, say };
  const client = await database.connect();
  try {
    const lock = [`millrace rebuild ${projector.table}`];
    const { rows } = await client.query<{ free: boolean }>('select pg_try_advisory_lock(hashtext($1)) as free', lock);
    if (!rows[0]?.free)
      throw new Error(`${projector.table} is being rebuilt by another process; wait until it is done`);
    try {
      await createFresh(database, projector);
      say(`  reads ${source.place}`);
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
