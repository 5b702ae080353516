/** Attempts counted in Postgres, so that all replicas share them: an attempt takes its place first, then does its work. */
import { createHash } from 'node:crypto';
import { AppError } from '../../runtime/errors.ts';
import type { Database } from '../../runtime/postgres.ts';
import { query } from './stored.ts';

/** At most so many in each window of time; windows of all keys begin together. */
type Limit = { readonly kind: string; readonly most: number; readonly window: '10 minutes' | '1 hour' };

const SIGN_INS_OF_ADDRESS: Limit = { kind: 'sign-ins-of-address', most: 30, window: '10 minutes' };
const SIGN_INS_OF_ACCOUNT: Limit = { kind: 'sign-ins-of-account', most: 10, window: '10 minutes' };
const SIGN_INS_FROM_KNOWN: Limit = { kind: 'sign-ins-from-known', most: 10, window: '10 minutes' };
const RESETS_OF_ADDRESS: Limit = { kind: 'resets-of-address', most: 10, window: '10 minutes' };
const RESETS_OF_ACCOUNT: Limit = { kind: 'resets-of-account', most: 3, window: '1 hour' };

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

type Place = { readonly start: Date; readonly key: Buffer };
type Taken = Place & { readonly taken: boolean; readonly retryAfterMs: number };

const keyOf = (kind: string, who: readonly string[]): Buffer =>
  createHash('sha256')
    .update(JSON.stringify([kind, ...who]))
    .digest();

const tooMany = (slug: string, what: string, retryAfterMs: number): AppError =>
  new AppError('exhausted', slug, `Too many ${what}; try again later`, { retryAfterMs: Math.max(retryAfterMs, 1) });

type Attempt = {
  /** As it was given, whether or not anybody has it. */
  readonly email: string;
  /** Network of the client; undefined where it is not known, and not counted. */
  readonly network: string | undefined;
};
/** An account; whether its owner has signed in from this network before. */
type Known = { readonly known: boolean };

export type Throttle = {
  /**
   * Finds an account and checks a password for it: gives the account when the password is its own. An attempt that fails
   * stays counted, for its account and its network; from where the owner has signed in before there is a count of its own,
   * so that nobody elsewhere can lock the owner out. Throws `exhausted`, `too-many-sign-ins`, before it checks anything.
   */
  signIn<Account extends Known>(
    attempt: Attempt,
    find: () => Promise<Account | undefined>,
    check: (account: Account | undefined) => Promise<boolean>,
  ): Promise<Account | undefined>;
  /** Counts a request for a reset; throws `exhausted`, `too-many-resets`, by network. False when the account has had enough. */
  reset(attempt: Attempt): Promise<boolean>;
};

export function openThrottle(database: Database): Throttle {
  const take = async ({ kind, most, window }: Limit, ...who: readonly string[]): Promise<Taken> => {
    const key = keyOf(kind, who);
    const [taken] = await query<Omit<Taken, 'key'>>(database, TAKE, [key, most, window]);
    if (!taken) throw new Error('the count of attempts gave no row');
    return { ...taken, key };
  };

  /** A place that was had, or throws. */
  const place = async (limit: Limit, ...who: readonly string[]): Promise<Place> => {
    const { taken, retryAfterMs, ...had } = await take(limit, ...who);
    if (!taken) throw tooMany('too-many-sign-ins', 'failed sign-ins', retryAfterMs);
    return had;
  };

  const giveBack = async (places: readonly Place[]): Promise<void> => {
    for (const { start, key } of places) await query(database, GIVE_BACK, [start, key]);
  };

  return {
    async signIn({ email, network }, find, check) {
      const account = email.toLowerCase();
      const places: Place[] = [];
      // The first place is kept when there is no second one: who goes on and on is to be stopped by network as well.
      if (network) places.push(await place(SIGN_INS_OF_ADDRESS, network));
      const found = await find();
      if (network && found?.known) places.push(await place(SIGN_INS_FROM_KNOWN, account, network));
      else places.push(await place(SIGN_INS_OF_ACCOUNT, account));
      let matches: boolean;
      try {
        matches = await check(found);
      } catch (error) {
        // Nothing was learnt of the password; the error is what counts.
        await giveBack(places).catch(() => undefined);
        throw error;
      }
      if (!matches) return undefined;
      await giveBack(places);
      return found;
    },

    async reset({ email, network }) {
      if (network) {
        const { taken, retryAfterMs } = await take(RESETS_OF_ADDRESS, network);
        if (!taken) throw tooMany('too-many-resets', 'requests for a new password', retryAfterMs);
      }
      return (await take(RESETS_OF_ACCOUNT, email.toLowerCase())).taken;
    },
  };
}
