/** All users, the newest first, page by page. */
import * as z from 'zod/mini';
import type { Database } from '../../runtime/postgres.ts';
import { validate } from '../../runtime/schema.ts';
import type { User } from '../user.ts';
import { query } from './stored.ts';
import { COLUMNS, type Row, toUser } from './user-row.ts';

const DEFAULT_SIZE = 20;
const MOST = 100;

/** Time to the microsecond, as Postgres keeps it, and id. */
const place = z.tuple([z.iso.datetime().check(z.maxLength(40)), z.uuid()]);
type Place = z.infer<typeof place>;

function readPlace(token: string): Place | undefined {
  try {
    const [at, id] = place.parse(JSON.parse(Buffer.from(token, 'base64url').toString('utf8')));
    // Postgres has no year 0.
    return at.startsWith('0000') ? undefined : [at, id];
  } catch {
    return undefined;
  }
}

const pageToken = z.string().check(
  z.refine((token) => token === '' || readPlace(token) !== undefined, {
    message: 'is not a page token of this listing; take the next_page_token of the answer before',
  }),
);
const size = `must be a whole number from 0 to ${MOST}`;
const page = z.object({
  page_size: z.int(size).check(z.minimum(0, size), z.maximum(MOST, size)),
  page_token: pageToken,
});

const LIST = {
  name: 'user-list',
  text: `select ${COLUMNS}, to_char(created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at from users
    where $1::timestamptz is null or (created_at, user_id) < ($1, $2::uuid)
    order by created_at desc, user_id desc limit $3`,
};

type Page = { readonly users: readonly User[]; readonly nextPageToken: string };

/** Throws `invalid-page`. */
export async function listUsers(
  database: Database,
  request: { readonly pageSize: number; readonly pageToken: string },
): Promise<Page> {
  const read = { page_size: request.pageSize, page_token: request.pageToken };
  const { page_size, page_token } = validate(page, read, 'The page', 'invalid-page');
  const limit = page_size || DEFAULT_SIZE;
  const after = readPlace(page_token) ?? [null, null];
  const rows = await query<Row & { readonly at: string }>(database, LIST, [...after, limit + 1]);
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  const nextPageToken = last ? Buffer.from(JSON.stringify([last.at, last.user_id])).toString('base64url') : '';
  return { users: shown.map(toUser), nextPageToken };
}
