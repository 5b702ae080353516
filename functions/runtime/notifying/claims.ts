/** The table `notifications`: a claim for each event, template and recipient, so that no repeat delivers it again, and how it ended. */
import { unavailable } from '../runtime/errors.ts';
import { type Database, databaseError } from '../runtime/postgres.ts';
import type { Suppression } from './reasons.ts';

/** What an event is about that may happen again later: the newest version counts. */
export type Subject = { readonly id: string; readonly version: number; readonly state: object };

/** What is to be delivered to whom; `data` is the event's, kept for sending it again. */
export type Claim = {
  readonly eventId: string;
  readonly template: string;
  readonly recipient: string;
  readonly type: string;
  readonly data: object;
  readonly subject?: Subject | undefined;
  /** Kept with the first attempt's claim, and the same in all that follow. */
  readonly unsubscribeToken?: string | undefined;
};

/** How a notification ended. */
export type End =
  | { readonly status: 'sent' }
  | { readonly status: 'suppressed'; readonly reason: Suppression }
  | { readonly status: 'failed'; readonly reason: 'address-refused' };

/** `state` is the subject's newest that was ever seen. */
export type Claimed = { readonly state: object | null; readonly unsubscribeToken: string | null };

/** A notification that is sent again because it was asked for; its event id is its own id. */
export type Again = Key & { readonly type: string; readonly data: unknown; readonly unsubscribeToken: string | null };

type Outcome = { readonly claimed: boolean; readonly status: string };
type Row = Outcome & { readonly state: object | null; readonly unsubscribe_token: string | null };
type Key = Pick<Claim, 'eventId' | 'template' | 'recipient'>;

export type Claims = {
  /** Undefined: it came to its end before. Throws `unavailable` while somebody else is at it. */
  claim(claim: Claim): Promise<Claimed | undefined>;
  /** Claims what commands-api has put there; as `claim`. */
  claimAgain(id: string): Promise<Again | undefined>;
  /** Of an event that nothing is delivered for. */
  remember(subject: Subject): Promise<void>;
  end(key: Key, end: End): Promise<void>;
  /** The delivery failed: the next attempt need not wait for the claim to run out. Given up, it is one when a redrive brings it. */
  release(key: Key, next: 'attempt' | 'given-up'): Promise<void>;
};

const CLAIM_SECONDS = 30;

const seen = (id: string, version: string, state: string): string =>
  `insert into notified_orders as o (order_id, version, state)
   select ${id}::uuid, ${version}::integer, ${state}::json where ${version} is not null
   on conflict (order_id) do update set
     version = greatest(o.version, excluded.version),
     state = case when o.version < excluded.version then excluded.state else o.state end
   returning state`;

/** In work with nobody: what a claim may take. */
const free = (row: string): string =>
  `${row}.claimed_until <= now() and (${row}.status = 'claimed' or ${row}.reason = 'given-up')`;

// A row without a recipient is of a version that knew none.
const CLAIM = {
  name: 'claim',
  text: `with seen as (${seen('$5', '$6', '$7')}), claim as (
     insert into notifications as n
       (event_id, template, recipient, status, claimed_until, order_id, type, data, unsubscribe_token, sender)
     select $1, $2, $4::uuid, 'claimed', now() + $3 * interval '1 s', $5::uuid, $8, $9::json, $10, $11
     where not exists (
       select from notifications where event_id = $1 and template = $2 and recipient is null and status = 'sent')
     on conflict (event_id, template, recipient, channel) do update
       set attempts = n.attempts + 1, claimed_until = excluded.claimed_until, status = 'claimed', reason = null
       where ${free('n')}
     returning status, unsubscribe_token)
   select true as claimed, status, unsubscribe_token, (select state from seen) as state from claim
   union all
   select false, status, null, (select state from seen) from notifications
   where event_id = $1 and template = $2 and (recipient = $4 or recipient is null) and not exists (select from claim)`,
};
const CLAIM_AGAIN = {
  name: 'claim-again',
  text: `with claim as (
     update notifications
     set attempts = attempts + 1, claimed_until = now() + $2 * interval '1 s', status = 'claimed', reason = null
     where id = $1 and ${free('notifications')}
     returning status, event_id, template, recipient, type, data, unsubscribe_token)
   select true as claimed, * from claim
   union all
   select false, status, null, null, null, null, null, null from notifications
   where id = $1 and not exists (select from claim)`,
};
const REMEMBER = { name: 'claim-remember', text: seen('$1', '$2', '$3') };
const OWN = 'event_id = $1 and template = $2 and recipient = $3';
const END = {
  name: 'claim-end',
  text: `update notifications set status = $4, reason = $5, sent_at = case when $4 = 'sent' then now() end where ${OWN}`,
};
const RELEASE = {
  name: 'claim-release',
  text: `update notifications set claimed_until = now(), status = case when $4 then 'failed' else status end,
      reason = case when $4 then 'given-up' end
    where ${OWN} and status = 'claimed'`,
};

/** `sender` is the function that delivers what is claimed. */
export function openClaims(database: Database, sender: string): Claims {
  const query = async <Found extends object>(
    statement: { readonly name: string; readonly text: string },
    values: unknown[],
  ): Promise<Found | undefined> => {
    try {
      return (await database.query<Found>({ ...statement, values })).rows[0];
    } catch (error) {
      throw databaseError(error);
    }
  };
  /** The row when it was claimed now. */
  const claimed = <Found extends Outcome>(row: Found | undefined, what: string): Found | undefined => {
    if (row && row.status !== 'claimed') return undefined;
    if (row?.claimed) return row;
    throw unavailable('claimed-elsewhere', `${what} is being delivered by another process`);
  };
  const keyOf = ({ eventId, template, recipient }: Key): string[] => [eventId, template, recipient];
  return {
    async claim({ eventId, template, recipient, type, data, subject, unsubscribeToken }) {
      const about = [subject?.id ?? null, subject?.version ?? null, subject ? JSON.stringify(subject.state) : null];
      const kept = [type, JSON.stringify(data), unsubscribeToken ?? null, sender];
      const row = claimed(
        await query<Row>(CLAIM, [eventId, template, CLAIM_SECONDS, recipient, ...about, ...kept]),
        `${template} for ${eventId}`,
      );
      return row && { state: row.state, unsubscribeToken: row.unsubscribe_token };
    },
    async claimAgain(id) {
      type AgainRow = Outcome & { event_id: string; unsubscribe_token: string | null } & Omit<Again, 'eventId'>;
      const row = claimed(await query<AgainRow>(CLAIM_AGAIN, [id, CLAIM_SECONDS]), `notification ${id}`);
      if (!row) return undefined;
      const { event_id: eventId, template, recipient, type, data, unsubscribe_token: unsubscribeToken } = row;
      return { eventId, template, recipient, type, data, unsubscribeToken };
    },
    async remember({ id, version, state }) {
      await query(REMEMBER, [id, version, JSON.stringify(state)]);
    },
    async end(key, end) {
      await query(END, [...keyOf(key), end.status, end.status === 'sent' ? null : end.reason]);
    },
    async release(key, next) {
      await query(RELEASE, [...keyOf(key), next === 'given-up']);
    },
  };
}
