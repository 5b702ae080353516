/** What e-mails carry: tokens that verify an address or let a new password be set; stored hashed, and good for a time. */
import { setTimeout as delay } from 'node:timers/promises';
import { LinkPurpose } from '../../gen/millrace/users/v1/users.ts';
import { type AppError, invalid, refused } from '../../runtime/errors.ts';
import type { Database, Queries } from '../../runtime/postgres.ts';
import type { Trace } from '../../runtime/trace.ts';
import type { User } from '../user.ts';
import type { Client } from './client-network.ts';
import { readEmail, readNewPassword, readUserId, refuseGuessable } from './fields.ts';
import { replacePassword } from './password-change.ts';
import type { Passwords } from './passwords.ts';
import { hashOf, newSecret } from './sessions.ts';
import { query, together } from './stored.ts';
import type { Throttle } from './throttle.ts';
import { type Announce, storeEvents, userEvent } from './user-event.ts';
import { COLUMNS, type Row, toUser, userById } from './user-row.ts';

/** A request is answered after this time, whether or not there is such a user. */
const RESET_ANSWER_MS = 250;

type Purpose = 'verify-email' | 'reset-password';
const MINUTE_MS = 60_000;
const LIFETIMES_MS: Readonly<Record<Purpose, number>> = {
  'verify-email': 24 * 60 * MINUTE_MS,
  'reset-password': 30 * MINUTE_MS,
};

// A late repeat of an earlier request must not take the place of a newer one, whose e-mail may be read already.
const PUT = {
  name: 'link-put',
  text: `insert into link_tokens (user_id, purpose, token_hash, expires_at) values ($1, $2, $3, $4)
    on conflict (user_id, purpose) do update set token_hash = excluded.token_hash, expires_at = excluded.expires_at
    where link_tokens.expires_at <= excluded.expires_at
    returning user_id`,
};
const OWNER = {
  name: 'link-owner',
  text: `select ${COLUMNS} from link_tokens join users using (user_id)
    where token_hash = $1 and purpose = $2 and expires_at > now()`,
};
const VERIFY = {
  name: 'user-verify-email',
  text: `update users set email_verified_at = $2 where user_id = $1 and email_verified_at is null returning user_id`,
};
const BY_EMAIL = {
  name: 'user-to-reset',
  text: `select ${COLUMNS} from users where lower(email) = lower($1) and suspended_at is null`,
};

const linkInvalid = (): AppError =>
  refused('link-invalid', 'This link does not work any more, or never did; ask for a new one');
const notNeeded = (): AppError => refused('link-not-needed', 'This link is of no use any more');

type Parts = { readonly passwords: Passwords; readonly throttle: Throttle; readonly announce: Announce };
type LinkRequest = {
  readonly userId: string;
  readonly purpose: LinkPurpose;
  readonly requestedAt: Date | undefined;
};

export type Links = {
  /** Throws `invalid-user-id`, `invalid-purpose`, `user-not-found`, `link-not-needed`. */
  create(request: LinkRequest): Promise<{ token: string; expiresAt: Date }>;
  verifyEmail(token: string, trace: Trace): Promise<User>;
  requestReset(email: string, client: Client, trace: Trace): Promise<void>;
  resetPassword(
    request: { readonly token: string; readonly newPassword: string },
    client: Client,
    trace: Trace,
  ): Promise<void>;
};

function readPurpose(purpose: LinkPurpose): Purpose {
  if (purpose === LinkPurpose.LINK_PURPOSE_VERIFY_EMAIL) return 'verify-email';
  if (purpose === LinkPurpose.LINK_PURPOSE_RESET_PASSWORD) return 'reset-password';
  const message = 'is none; verify an e-mail address, or reset a password';
  throw invalid('invalid-purpose', `The purpose ${message}`, [{ field: 'purpose', message }]);
}

export function openLinks(database: Database, { passwords, throttle, announce }: Parts): Links {
  const owner = async (token: string, purpose: Purpose): Promise<Row> => {
    const [row] = await query<Row>(database, OWNER, [hashOf(token), purpose]);
    if (!row) throw linkInvalid();
    return row;
  };

  /** The messages to announce of an address that is verified in this transaction; none when it was before. */
  const verify = async (queries: Queries, userId: string, trace: Trace) => {
    const verifiedAt = new Date().toISOString();
    const verified = await query(queries, VERIFY, [userId, verifiedAt]);
    const messages = verified.map(() => userEvent('user.email_verified', { userId, verifiedAt }, verifiedAt, trace));
    await storeEvents(queries, messages);
    return messages;
  };

  const announceRequest = async (email: string, network: string | undefined, trace: Trace): Promise<void> => {
    const allowed = await throttle.reset({ email, network });
    const [row] = await query<Row>(database, BY_EMAIL, [email]);
    if (!row || !allowed) return;
    const requestedAt = new Date().toISOString();
    const event = { userId: row.user_id, requestedAt };
    const message = userEvent('user.password_reset_requested', event, requestedAt, trace);
    await storeEvents(database, [message]);
    announce(message);
  };

  return {
    async create({ userId, purpose: wanted, requestedAt }) {
      const purpose = readPurpose(wanted);
      const now = Date.now();
      const asked = requestedAt?.getTime() ?? now;
      if (Number.isNaN(asked)) throw invalid('malformed-message', 'requested_at is not a time');
      // A new user whose welcome is late, however late, still has the address to verify; who asked for a reset asks again.
      const from = purpose === 'verify-email' ? now : Math.min(asked, now);
      const expiresAt = new Date(from + LIFETIMES_MS[purpose]);
      const row = await userById(database, readUserId(userId));
      const pointless = purpose === 'verify-email' ? row.email_verified_at !== null : row.suspended_at !== null;
      if (pointless || expiresAt.getTime() <= now) throw notNeeded();
      const token = newSecret();
      const put = await query(database, PUT, [row.user_id, purpose, hashOf(token), expiresAt]);
      if (put.length === 0) throw notNeeded();
      return { token, expiresAt };
    },

    async verifyEmail(token, trace) {
      const { user_id: userId } = await owner(token, 'verify-email');
      const messages = await together(database, (client) => verify(client, userId, trace));
      messages.forEach(announce);
      return toUser(await userById(database, userId));
    },

    async requestReset(value, { network }, trace) {
      const email = readEmail(value);
      await Promise.all([announceRequest(email, network, trace), delay(RESET_ANSWER_MS)]);
    },

    async resetPassword({ token, newPassword }, client, trace) {
      const password = readNewPassword(newPassword);
      const row = await owner(token, 'reset-password');
      refuseGuessable('new_password', password, row.email);
      const hashed = await passwords.hash(password, client);
      const messages = await together(database, async (queries) => {
        const changed = await replacePassword(queries, { row, hashed }, trace);
        if (!changed) throw linkInvalid();
        // Whoever has the token has read the e-mail.
        return [changed, ...(await verify(queries, row.user_id, trace))];
      });
      messages.forEach(announce);
    },
  };
}
