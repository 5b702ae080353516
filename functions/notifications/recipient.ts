/** What is known of whom an e-mail is for: language, what is muted, and whether the address takes any. */
import { createHash } from 'node:crypto';
import { type Database, databaseError } from '../runtime/postgres.ts';
import { type Locale, localeOf } from './locale.ts';

type Recipient = { readonly locale: Locale; readonly muted: readonly string[]; readonly refused: boolean };

/** Addresses are kept as this alone: their SHA-256 in lower case. */
export const hashOfAddress = (address: string): Buffer =>
  createHash('sha256').update(address.trim().toLowerCase()).digest();

const READ = {
  name: 'recipient',
  text: `select locale, muted, exists (select from refused_addresses where address_hash = $2) as refused
    from (select 1) as one left join notification_preferences on user_id = $1`,
};
const REFUSE = {
  name: 'recipient-refused',
  text: `insert into refused_addresses (address_hash, source) values ($1, 'server') on conflict do nothing`,
};
type Row = { locale: string | null; muted: string[] | null; refused: boolean };

export function openRecipients(database: Database) {
  const query = async (statement: { readonly name: string; readonly text: string }, values: unknown[]) => {
    try {
      return (await database.query<Row>({ ...statement, values })).rows[0];
    } catch (error) {
      throw databaseError(error);
    }
  };
  return {
    async find(userId: string, address: string): Promise<Recipient> {
      const row = await query(READ, [userId, hashOfAddress(address)]);
      return { locale: localeOf(row?.locale), muted: row?.muted ?? [], refused: row?.refused ?? false };
    },
    /** Nothing more is sent there. */
    async refuse(address: string): Promise<void> {
      await query(REFUSE, [hashOfAddress(address)]);
    },
  };
}
