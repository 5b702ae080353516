/** How users want to be told: their language, and what they can do without. And which addresses take no e-mail. */
import { type Database, databaseError } from '../runtime/postgres.ts';
import { type Locale, localeOf } from './locale.ts';
import { isOptional, type OptionalTemplate } from './optional.ts';
import { hashOfAddress } from './recipient.ts';

export type Preferences = { readonly locale: Locale; readonly muted: readonly OptionalTemplate[] };
type Row = { locale: string; muted: string[] };
type Statement = { readonly name: string; readonly text: string };

async function query<Found extends object>(database: Database, statement: Statement, values: unknown[]) {
  try {
    return (await database.query<Found>({ ...statement, values })).rows;
  } catch (error) {
    throw databaseError(error);
  }
}

const preferencesOf = (row: Row | undefined): Preferences => ({
  locale: localeOf(row?.locale),
  muted: (row?.muted ?? []).filter(isOptional),
});

const READ = {
  name: 'preferences-read',
  text: 'select locale, muted from notification_preferences where user_id = $1',
};
export async function readPreferences(database: Database, userId: string): Promise<Preferences> {
  const [row] = await query<Row>(database, READ, [userId]);
  return preferencesOf(row);
}

const PUT = {
  name: 'preferences-put',
  text: `insert into notification_preferences as p (user_id, locale, muted)
    values ($1, coalesce($2, 'en'), coalesce($3::text[], '{}'))
    on conflict (user_id) do update
      set locale = coalesce($2, p.locale), muted = coalesce($3::text[], p.muted), updated_at = now()
    returning locale, muted`,
};
/** What is left out stays as it is. */
export async function putPreferences(
  database: Database,
  userId: string,
  { locale, muted }: { readonly locale?: Locale | undefined; readonly muted?: readonly OptionalTemplate[] | undefined },
): Promise<Preferences> {
  const [row] = await query<Row>(database, PUT, [userId, locale ?? null, muted ? [...new Set(muted)] : null]);
  return preferencesOf(row);
}

const MUTE = {
  name: 'preferences-mute',
  text: `insert into notification_preferences as p (user_id, muted)
    select recipient, array[template] from notifications where unsubscribe_token = $1
    on conflict (user_id) do update
      set muted = p.muted || excluded.muted, updated_at = now() where not p.muted @> excluded.muted`,
};
/** Mutes the kind of e-mail that the token was in, for whom it was sent to; a token that nobody was given does nothing. */
export async function muteByToken(database: Database, token: string): Promise<void> {
  await query(database, MUTE, [token]);
}

const REFUSE = {
  name: 'address-refuse',
  text: `insert into refused_addresses (address_hash, source) values ($1, 'report') on conflict do nothing`,
};
/** Nothing is sent there any more. */
export async function refuseAddress(database: Database, address: string): Promise<void> {
  await query(database, REFUSE, [hashOfAddress(address)]);
}

const TAKE = { name: 'address-take', text: 'delete from refused_addresses where address_hash = $1' };
/** What comes is sent there again. */
export async function takeAddress(database: Database, address: string): Promise<void> {
  await query(database, TAKE, [hashOfAddress(address)]);
}
