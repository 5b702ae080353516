/** What is counted of sign-ins, sign-ups and resets, and how much of it is too much. */
import { AppError } from '../../runtime/errors.ts';
import type { Database } from '../../runtime/postgres.ts';
import { type Limit, openAttempts, type Place } from './attempts.ts';

const SIGN_INS_OF_ADDRESS: Limit = { kind: 'sign-ins-of-address', most: 30, window: '10 minutes' };
const SIGN_INS_OF_ACCOUNT: Limit = { kind: 'sign-ins-of-account', most: 30, window: '10 minutes' };
const SIGN_INS_OF_ACCOUNT_FROM: Limit = { kind: 'sign-ins-of-account-from', most: 5, window: '10 minutes' };
const SIGN_INS_FROM_KNOWN: Limit = { kind: 'sign-ins-from-known', most: 10, window: '10 minutes' };
const RESETS_OF_ADDRESS: Limit = { kind: 'resets-of-address', most: 10, window: '10 minutes' };
const RESETS_OF_ACCOUNT: Limit = { kind: 'resets-of-account', most: 10, window: '1 hour' };
const RESETS_OF_ACCOUNT_FROM: Limit = { kind: 'resets-of-account-from', most: 3, window: '30 minutes' };

/** A limit, and whom it counts. */
type Count = readonly [limit: Limit, ...who: string[]];

/** The counts that a sign-in takes places in, in this order. */
function countsOf(account: string, network: string | undefined, known: boolean): Count[] {
  if (network === undefined) return [[SIGN_INS_OF_ACCOUNT, account]];
  if (known) return [[SIGN_INS_FROM_KNOWN, account, network]];
  return [
    [SIGN_INS_OF_ADDRESS, network],
    [SIGN_INS_OF_ACCOUNT_FROM, account, network],
    [SIGN_INS_OF_ACCOUNT, account],
  ];
}

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
   * stays counted: for its network, for its account from there, and for its account in all; from where the owner has signed
   * in before there is one count of its own, so that nothing tried elsewhere, or there on other accounts, can lock the owner
   * out. Throws `exhausted`, `too-many-sign-ins`, before it checks a password.
   */
  signIn<Account extends Known>(
    attempt: Attempt,
    find: () => Promise<Account | undefined>,
    check: (account: Account | undefined) => Promise<boolean>,
  ): Promise<Account | undefined>;
  /**
   * Counts a sign-up; throws `exhausted`, `too-many-sign-ups`, by network. What it gives takes that back, for one that only
   * repeats an earlier one.
   */
  signUp(network: string | undefined): Promise<() => Promise<void>>;
  /**
   * Counts a request for a reset; throws `exhausted`, `too-many-resets`, by network. False when the account has had enough,
   * from there or in all.
   */
  reset(attempt: Attempt): Promise<boolean>;
};

/** `signUps`: new accounts of one address in 10 minutes. */
export function openThrottle(database: Database, signUps: number): Throttle {
  const signUpsOfAddress: Limit = { kind: 'sign-ups-of-address', most: signUps, window: '10 minutes' };
  const { take, giveBack } = openAttempts(database);

  /**
   * A place in each count, or throws. The places before one that is not to be had are kept: who goes on and on is to be
   * stopped by network as well.
   */
  const placesIn = async (counts: readonly Count[]): Promise<Place[]> => {
    const places: Place[] = [];
    for (const [limit, ...who] of counts) {
      const { taken, retryAfterMs, ...place } = await take(limit, ...who);
      if (!taken) throw tooMany('too-many-sign-ins', 'failed sign-ins', retryAfterMs);
      places.push(place);
    }
    return places;
  };

  /** Counts for a network, or throws. */
  const limited = async (limit: Limit, network: string, slug: string, what: string): Promise<Place> => {
    const { taken, retryAfterMs, ...place } = await take(limit, network);
    if (!taken) throw tooMany(slug, what, retryAfterMs);
    return place;
  };

  return {
    async signIn({ email, network }, find, check) {
      const account = email.toLowerCase();
      const found = await find();
      const places = await placesIn(countsOf(account, network, found?.known === true));
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

    async signUp(network) {
      const places = network ? [await limited(signUpsOfAddress, network, 'too-many-sign-ups', 'new accounts')] : [];
      return () => giveBack(places);
    },

    async reset({ email, network }) {
      if (network) await limited(RESETS_OF_ADDRESS, network, 'too-many-resets', 'requests for a new password');
      const account = email.toLowerCase();
      // What is refused from one network takes nothing from the others.
      if (network && !(await take(RESETS_OF_ACCOUNT_FROM, account, network)).taken) return false;
      return (await take(RESETS_OF_ACCOUNT, account)).taken;
    },
  };
}
