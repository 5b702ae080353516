/** Attempts counted in Postgres, so that all replicas share them: an attempt takes its place first, then does its work. */
import { createHash } from 'node:crypto';
import type { Database } from '../../runtime/postgres.ts';
import { query } from './stored.ts';

/** At most so many in each window of time; windows of all keys begin together. */
export type Limit = {
  readonly kind: string;
  readonly most: number;
  readonly window: '10 minutes' | '30 minutes' | '1 hour';
};

// What is over the limit only reads; rows of windows long past go a few at a time.
const TAKE = {
  name: 'attempt-take',
  text: `with period as (
      select date_bin($3::interval, now(), timestamptz 'epoch') as start
    ), taken as (
      insert into attempts as held (window_start, key, count)
      select start, $1, 1 from period
      where not exists (select from attempts where window_start = start and key = $1 and count >= $2)
      on conflict (window_start, key) do update set count = held.count + 1 where held.count < $2
      returning key
    ), pruned as (
      delete from attempts where (window_start, key) in (
        select window_start, key from attempts where window_start < now() - interval '2 hours'
        and exists (select from taken) limit 10 for update skip locked)
    )
    select start, exists (select from taken) as taken,
      ceil(extract(epoch from start + $3::interval - now()) * 1000)::integer as "retryAfterMs"
    from period`,
};
const GIVE_BACK = {
  name: 'attempt-give-back',
  text: 'update attempts set count = count - 1 where window_start = $1 and key = $2 and count > 0',
};

export type Place = { readonly start: Date; readonly key: Buffer };
type Taken = Place & { readonly taken: boolean; readonly retryAfterMs: number };

const keyOf = (kind: string, who: readonly string[]): Buffer =>
  createHash('sha256')
    .update(JSON.stringify([kind, ...who]))
    .digest();

export type Attempts = {
  /** A place under the limit, if there was one left. */
  take(limit: Limit, ...who: readonly string[]): Promise<Taken>;
  giveBack(places: readonly Place[]): Promise<void>;
};

export const openAttempts = (database: Database): Attempts => ({
  async take({ kind, most, window }, ...who) {
    const key = keyOf(kind, who);
    const [taken] = await query<Omit<Taken, 'key'>>(database, TAKE, [key, most, window]);
    if (!taken) throw new Error('the count of attempts gave no row');
    return { ...taken, key };
  },
  async giveBack(places) {
    for (const { start, key } of places) await query(database, GIVE_BACK, [start, key]);
  },
});
