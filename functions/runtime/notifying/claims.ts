/** A notifier's table: a claim for each event, template, recipient and channel, so that no repeat delivers it again, and how it ended. */
import { unavailable } from '../errors.ts';
import { nameId } from '../ids.ts';
import { type Database, databaseError } from '../postgres.ts';

export const DEFAULT_TABLE = 'notifications';

/** Columns that a table of claims has besides those of every one. */
export type Kept = Readonly<Record<string, string | null>>;

type Key = { readonly eventId: string; readonly template: string; readonly recipient: string };
/** What is to be delivered to whom; `data` is the event's, kept for delivering it again. */
export type Claim = Key & {
  readonly type: string;
  readonly data: unknown;
  /** Kept with the first attempt's claim, and the same in all that follow. */
  readonly kept: Kept;
};

/** A notification that is delivered again because it was asked for; its event id is its own id. */
export type Again = Omit<Claim, 'data'> & { readonly data: unknown };

/** How a delivery ended. `queued`: a task of its own goes on with it, and keeps how that ends. */
export type End =
  | { readonly status: 'sent' | 'queued' }
  | { readonly status: 'suppressed' | 'failed'; readonly reason: string };

export type Claims = {
  /** The own columns. Undefined: it came to its end before. Throws `unavailable` while somebody else is at it. */
  claim(claim: Claim): Promise<Kept | undefined>;
  /** Claims what was put there to be delivered again; as `claim`. */
  claimAgain(id: string): Promise<Again | undefined>;
  end(key: Key, end: End): Promise<void>;
  /** The delivery failed: the next attempt need not wait for the claim to run out. Given up, it is one when a redrive brings it. */
  release(key: Key, next: 'attempt' | 'given-up'): Promise<void>;
};

type ClaimsOptions = {
  readonly table: string;
  /** The function that delivers what is claimed. */
  readonly sender: string;
  readonly channel: string;
  /** Names of the own columns. */
  readonly columns: readonly string[];
};
type Outcome = { readonly claimed: boolean; readonly status: string; readonly kept: Kept };
type AgainRow = Outcome & { readonly event_id: string } & Pick<Again, 'template' | 'recipient' | 'type' | 'data'>;

const CLAIM_SECONDS = 30;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** As it stands in the table. */
export const recipientId = (recipient: string): string =>
  UUID.test(recipient) ? recipient.toLowerCase() : nameId('recipient', recipient);

/** In work with nobody: what a claim may take. */
const free = (row: string): string =>
  `${row}.claimed_until <= now() and (${row}.status = 'claimed' or ${row}.reason = 'given-up')`;

function statementsOf({ table, columns }: ClaimsOptions) {
  const own = columns.map((column) => `, ${column}`).join('');
  const kept = `json_build_object(${columns.map((column) => `'${column}', ${column}`).join(', ')})`;
  const key = 'event_id = $1 and template = $2 and recipient = $3 and channel = $4';
  return {
    // A row without a recipient is of a version that knew none.
    claim: `with claim as (
        insert into ${table} as n
          (event_id, template, recipient, channel, status, claimed_until, sender, type, data${own})
        select $1, $2, $3::uuid, $4, 'claimed', now() + $5 * interval '1 s', $6, $7, $8::json${own}
        from json_populate_record(null::${table}, $9)
        where not exists (
          select from ${table} where event_id = $1 and template = $2 and recipient is null and status = 'sent')
        on conflict (event_id, template, recipient, channel) do update
          set attempts = n.attempts + 1, claimed_until = excluded.claimed_until, status = 'claimed', reason = null
          where ${free('n')}
        returning status, ${kept} as kept)
      select true as claimed, status, kept from claim
      union all
      select false, status, null from ${table}
      where event_id = $1 and template = $2 and channel = $4 and (recipient = $3 or recipient is null)
        and not exists (select from claim)`,
    again: `with claim as (
        update ${table}
        set attempts = attempts + 1, claimed_until = now() + $2 * interval '1 s', status = 'claimed', reason = null
        where id = $1 and ${free(table)}
        returning status, ${kept} as kept, event_id, template, recipient, type, data)
      select true as claimed, * from claim
      union all
      select false, status, null, null, null, null, null, null from ${table}
      where id = $1 and not exists (select from claim)`,
    end: `update ${table} set status = $5, reason = $6, sent_at = case when $5 = 'sent' then now() end where ${key}`,
    release: `update ${table} set claimed_until = now(), status = case when $5 then 'failed' else status end,
        reason = case when $5 then 'given-up' end
      where ${key} and status = 'claimed'`,
  };
}

/** The row when it was claimed now. */
function claimed<Found extends Outcome>(row: Found | undefined, what: string): Found | undefined {
  if (row && row.status !== 'claimed') return undefined;
  if (row?.claimed) return row;
  throw unavailable('claimed-elsewhere', `${what} is being delivered by another process`);
}

export function openClaims(database: Database, options: ClaimsOptions): Claims {
  const { sender, channel } = options;
  const statements = statementsOf(options);
  const query = async <Found extends object>(
    name: keyof typeof statements,
    values: unknown[],
  ): Promise<Found | undefined> => {
    try {
      return (await database.query<Found>({ name: `claims-${name}`, text: statements[name], values })).rows[0];
    } catch (error) {
      throw databaseError(error);
    }
  };
  const keyOf = ({ eventId, template, recipient }: Key) => [eventId, template, recipientId(recipient), channel];
  return {
    async claim({ type, data, kept, ...key }) {
      const content = [sender, type, JSON.stringify(data), JSON.stringify(kept)];
      const row = await query<Outcome>('claim', [...keyOf(key), CLAIM_SECONDS, ...content]);
      return claimed(row, `${key.template} for ${key.eventId}`)?.kept;
    },
    async claimAgain(id) {
      const row = claimed(await query<AgainRow>('again', [id, CLAIM_SECONDS]), `notification ${id}`);
      if (!row) return undefined;
      const { event_id: eventId, template, recipient, type, data, kept } = row;
      return { eventId, template, recipient, type, data, kept };
    },
    async end(key, end) {
      await query('end', [...keyOf(key), end.status, 'reason' in end ? end.reason : null]);
    },
    async release(key, next) {
      await query('release', [...keyOf(key), next === 'given-up']);
    },
  };
}
