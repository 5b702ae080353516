/** E-mail and password → a session, and a password changed by its owner; failures are counted and slowed down. */
import { AppError } from '../../runtime/errors.ts';
import type { Database } from '../../runtime/postgres.ts';
import type { Trace } from '../../runtime/trace.ts';
import type { User } from '../user.ts';
import type { Client } from './client-network.ts';
import { email as emailField, readNewPassword, refuseGuessable } from './fields.ts';
import { replacePassword } from './password-change.ts';
import type { Passwords } from './passwords.ts';
import { hashOf, type Session, type Sessions } from './sessions.ts';
import { query, together } from './stored.ts';
import type { Throttle } from './throttle.ts';
import type { Identity } from './tokens.ts';
import type { Announce } from './user-event.ts';
import { COLUMNS, type Row, toUser } from './user-row.ts';

type Found = Row & { readonly known: boolean };

const WITH_KNOWN = `select ${COLUMNS}, exists (
    select from known_addresses where known_addresses.user_id = users.user_id and address_hash = $2) as known
  from users`;
const BY_EMAIL = { name: 'sign-in-by-email', text: `${WITH_KNOWN} where lower(email) = lower($1)` };
const BY_ID = { name: 'sign-in-by-id', text: `${WITH_KNOWN} where user_id = $1` };

const wrongCredentials = (): AppError =>
  new AppError('unauthenticated', 'wrong-credentials', 'The e-mail or the password is wrong');
const suspended = (): AppError => new AppError('forbidden', 'user-suspended', 'This account is suspended');

type Parts = {
  readonly passwords: Passwords;
  readonly sessions: Sessions;
  readonly throttle: Throttle;
  readonly announce: Announce;
};
type Credentials = { readonly email: string; readonly password: string };
type PasswordChange = { readonly currentPassword: string; readonly newPassword: string };

export type SignIn = {
  /** Whichever of e-mail and password is wrong, the answer, its cost and how it is counted are the same. */
  authenticate(request: Credentials, client: Client): Promise<{ user: User; session: Session }>;
  changePassword(who: Identity, request: PasswordChange, client: Client, trace: Trace): Promise<void>;
};

export function openSignIn(database: Database, { passwords, sessions, throttle, announce }: Parts): SignIn {
  const find = async (statement: typeof BY_EMAIL, who: string, network: string | undefined) =>
    (await query<Found>(database, statement, [who, network ? hashOf(network) : null]))[0];

  /** The account whose password this is. Throws `wrong-credentials`, `too-many-sign-ins`, `too-many-passwords`. */
  const checked = async (
    { email, password }: Credentials,
    client: Client,
    findAccount: () => Promise<Found | undefined>,
  ): Promise<Found> => {
    const found = await throttle.signIn({ email, network: client.network }, findAccount, (account) =>
      passwords.matches(account?.password_hash, password, client),
    );
    if (!found) throw wrongCredentials();
    return found;
  };

  return {
    async authenticate({ email, password }, client) {
      const { network } = client;
      const parsed = emailField.safeParse(email);
      const row = await checked({ email: parsed.data ?? email, password }, client, async () =>
        parsed.success ? find(BY_EMAIL, parsed.data, network) : undefined,
      );
      if (row.suspended_at) throw suspended();
      const session = await sessions.open(row, network);
      if (session) return { user: toUser(row), session };
      // Suspended, or given another password, since it was read.
      const now = await find(BY_ID, row.user_id, network);
      throw now?.suspended_at ? suspended() : wrongCredentials();
    },

    async changePassword({ userId, sessionId }, { currentPassword, newPassword }, client, trace) {
      const password = readNewPassword(newPassword);
      const found = await find(BY_ID, userId, client.network);
      if (!found) throw wrongCredentials();
      refuseGuessable('new_password', password, found.email);
      const row = await checked({ email: found.email, password: currentPassword }, client, async () => found);
      const hashed = await passwords.hash(password, client);
      const message = await together(database, (queries) =>
        replacePassword(queries, { row, hashed, keepSession: sessionId }, trace),
      );
      if (!message) throw wrongCredentials();
      announce(message);
    },
  };
}
