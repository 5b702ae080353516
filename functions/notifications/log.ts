/** The delivery log, table `notifications`: read in pages, and the entry for one that is to be sent again. */
import { type AppError, notFound, refused } from '../runtime/errors.ts';
import { type Database, databaseError, isConflict } from '../runtime/postgres.ts';

/** Times are RFC 3339. */
export type LoggedNotification = {
  readonly notificationId: string;
  readonly userId: string;
  readonly template: string;
  /** Such as `email`: that of the function that delivers it. */
  readonly channel: string;
  readonly status: 'claimed' | 'sent' | 'suppressed' | 'failed';
  readonly reason: string | null;
  readonly attempts: number;
  readonly orderId: string | null;
  readonly resendOf: string | null;
  readonly createdAt: string;
  readonly sentAt: string | null;
};
type Row = Omit<LoggedNotification, 'createdAt' | 'sentAt'> & { createdAt: Date; sentAt: Date | null };

const COLUMNS = `id as "notificationId", recipient as "userId", template, channel, status, reason, attempts,
  order_id as "orderId", resend_of as "resendOf", created_at as "createdAt", sent_at as "sentAt"`;

const shown = ({ createdAt, sentAt, ...row }: Row): LoggedNotification => ({
  ...row,
  createdAt: createdAt.toISOString(),
  sentAt: sentAt?.toISOString() ?? null,
});

async function query<Found extends object>(database: Database, name: string, text: string, values: unknown[]) {
  try {
    return (await database.query<Found>({ name, text, values })).rows;
  } catch (error) {
    throw databaseError(error);
  }
}

/** Of a user, newest first, up to `limit` after a place. */
export async function listNotifications(
  database: Database,
  userId: string,
  {
    limit,
    after,
  }: { readonly limit: number; readonly after?: { readonly createdAt: string; readonly id: string } | undefined },
): Promise<LoggedNotification[]> {
  const text = `select ${COLUMNS} from notifications
    where recipient = $1 and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))
    order by created_at desc, id desc limit $4`;
  const rows = await query<Row>(database, 'notifications-list', text, [
    userId,
    after?.createdAt ?? null,
    after?.id ?? null,
    limit,
  ]);
  return rows.map(shown);
}

const MOST_RESENDS = 5;

export type Resend = {
  /** Of the entry that is made: the same again is the same entry. */
  readonly newId: string;
  readonly notificationId: string;
  /** Whose it must be; undefined: anybody's. */
  readonly userId: string | undefined;
};

/** What is sent again is counted at the first of them, in the statement that makes the new entry: both or neither. */
const RESEND = `with first as (
    update notifications set resends = resends + 1
    where id = (select coalesce(resend_of, id) from notifications where id = $2)
      and ($3::uuid is null or recipient = $3) and data is not null and resends < $4
      and not exists (select from notifications where id = $1)
    returning *)
  insert into notifications
    (id, event_id, template, recipient, channel, status, attempts, claimed_until, order_id, sender, type, data, unsubscribe_token, resend_of)
  select $1, $1::text, template, recipient, channel, 'claimed', 0, now(), order_id, sender, type, data,
    case when unsubscribe_token is not null then encode(sha256(gen_random_uuid()::text::bytea), 'hex') end, id
  from first`;
const OWN = `select ${COLUMNS}, sender from notifications where id = $1 and ($2::uuid is null or recipient = $2)`;
type Own = Row & { sender: string | null };

const unknown = (id: string): AppError => notFound('notification-not-found', `There is no notification ${id}`);

/** Makes the entry of a notification that is sent again, at most five times; gives it, with the function that sends it. */
export async function enterResend(
  database: Database,
  { newId, notificationId, userId }: Resend,
): Promise<{ readonly notification: LoggedNotification; readonly sender: string }> {
  const whose = userId ?? null;
  const [before] = await query<Own>(database, 'notification-own', OWN, [notificationId, whose]);
  if (!before) throw unknown(notificationId);
  if (before.sender === null || before.channel !== 'email')
    throw refused('not-resendable', `Notification ${notificationId} is too old, or no e-mail: it cannot be sent again`);
  try {
    await query(database, 'notification-resend', RESEND, [newId, notificationId, whose, MOST_RESENDS]);
  } catch (error) {
    // Another try of the same request was faster.
    if (!isConflict(error)) throw error;
  }
  const [made] = await query<Own>(database, 'notification-own', OWN, [newId, whose]);
  if (!made)
    throw refused(
      'resent-too-often',
      `Notification ${notificationId} was sent again ${MOST_RESENDS} times, and that is all`,
    );
  const { sender: _, ...row } = made;
  return { notification: shown(row), sender: before.sender };
}
