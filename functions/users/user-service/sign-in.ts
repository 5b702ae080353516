/** E-mail and password → a session, and a password changed by its owner; failures are counted and slowed down. */
import { AppError } from '../../runtime/errors.ts';
import type { Database } from '../../runtime/postgres.ts';
import type { Trace } from '../../runtime/trace.ts';
import type { User } from '../user.ts';
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
  authenticate(request: Credentials, network: string | undefined): Promise<{ user: User; session: Session }>;
  changePassword(who: Identity, request: PasswordChange, network: string | undefined, trace: Trace): Promise<void>;
};

export function openSignIn(database: Database, { passwords, sessions, throttle, announce }: Parts): SignIn {
  const find = async (statement: typeof BY_EMAIL, who: string, network: string | undefined) =>
    (await query<Found>(database, statement, [who, network ? hashOf(network) : null]))[0];

  /** The account whose password this is. Throws `wrong-credentials`, `too-many-sign-ins`, `too-many-passwords`. */
  const checked = async (
    attempt: { readonly email: string; readonly network: string | undefined },
    password: string,
    findAccount: () => Promise<Found | undefined>,
  ): Promise<Found> => {
    const found = await throttle.signIn(attempt, findAccount, (account) =>
      passwords.matches(account?.password_hash, password),
    );
    if (!found) throw wrongCredentials();
    return found;
  };

  return {
    async authenticate({ email, password }, network) {
      const parsed = emailField.safeParse(email);
      const attempt = { email: parsed.data ?? email, network };
      const row = await checked(attempt, password, async () =>
        parsed.success ? find(BY_EMAIL, parsed.data, network) : undefined,
      );
      if (row.suspended_at) throw suspended();
      const session = await sessions.open(row, network);
      if (session) return { user: toUser(row), session };
      // Suspended, or given another password, since it was read.
      const now = await find(BY_ID, row.user_id, network);
      throw now?.suspended_at ? suspended() : wrongCredentials();
    },

    async changePassword({ userId, sessionId }, { currentPassword, newPassword }, network, trace) {
      const password = readNewPassword(newPassword);
      const found = await find(BY_ID, userId, network);
      if (!found) throw wrongCredentials();
      refuseGuessable('new_password', password, found.email);
      const row = await checked({ email: found.email, network }, currentPassword, async () => found);
      const hashed = await passwords.hash(password);
      const message = await together(database, (client) =>
        replacePassword(client, { row, hashed, keepSession: sessionId }, trace),
      );
      if (!message) throw wrongCredentials();
      announce(message);
    },
  };
}
