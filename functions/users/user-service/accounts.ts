/** Accounts in Postgres: a user and the event that tells of it are stored together, or neither is. */
import * as z from 'zod/mini';
import { AppError, invalid, notFound, refused } from '../../runtime/errors.ts';
import { newId } from '../../runtime/ids.ts';
import { subjectOf, toHeaders } from '../../runtime/message.ts';
import { insertOutbox, type OutboxMessage } from '../../runtime/outbox.ts';
import { type Database, databaseError } from '../../runtime/postgres.ts';
import type { Trace } from '../../runtime/trace.ts';
import { validate } from '../../runtime/validate.ts';
import type { Credentials } from '../client.ts';
import type { userEvents } from '../events.ts';
import type { Role, User } from '../user.ts';
import { hasGoodLength, MAX_CHARACTERS, MIN_CHARACTERS, type Passwords } from './passwords.ts';

const MAX_EMAIL_CHARACTERS = 254;

const newAccount = z.object({
  email: z
    .string()
    .check(
      z.trim(),
      z.maxLength(MAX_EMAIL_CHARACTERS, `has more than ${MAX_EMAIL_CHARACTERS} characters`),
      z.email('is not an e-mail address; write it like name@example.com'),
    ),
  password: z.string().check(z.refine(hasGoodLength, `must have ${MIN_CHARACTERS} to ${MAX_CHARACTERS} characters`)),
});
const userId = z.uuid();

type Row = { user_id: string; email: string; password_hash: string; role: Role; created_at: Date };

const COLUMNS = 'user_id, email, password_hash, role, created_at';
const BY_EMAIL = { name: 'user-by-email', text: `select ${COLUMNS} from users where lower(email) = lower($1)` };
const BY_ID = { name: 'user-by-id', text: `select ${COLUMNS} from users where user_id = $1` };
// A duplicate key must not become an error of Postgres, whose log would then hold the e-mail.
const CREATE = {
  name: 'user-create',
  text: `with created as (
      insert into users (user_id, email, password_hash, created_at) values ($1, $2, $3, $4)
      on conflict (lower(email)) do nothing
      returning ${COLUMNS}
    ), announced as (
      ${insertOutbox('$5')} where exists (select from created)
    ) select ${COLUMNS} from created`,
};

const toUser = (row: Row): User => ({
  userId: row.user_id,
  email: row.email,
  role: row.role,
  createdAt: row.created_at.toISOString(),
});

type UserCreated = z.infer<(typeof userEvents)['user.created']>;

const toMessage = ({ userId, createdAt }: UserCreated, { traceparent }: Trace): OutboxMessage => {
  const id = newId();
  const type: keyof typeof userEvents = 'user.created';
  const headers = toHeaders({ id, type, subject: userId, time: createdAt, traceparent });
  return { event_id: id, subject: subjectOf(type, userId), headers, data: { userId, createdAt } };
};

type Announce = (message: OutboxMessage) => void;

/** `announce` is told of each event once it is stored. */
export function openAccounts(database: Database, passwords: Passwords, announce: Announce) {
  const find = async (query: { name: string; text: string }, values: unknown[]): Promise<Row | undefined> => {
    try {
      return (await database.query<Row>({ ...query, values })).rows[0];
    } catch (error) {
      throw databaseError(error);
    }
  };

  return {
    async create(request: Credentials, trace: Trace): Promise<User> {
      const { email, password } = validate(newAccount, request, 'The new user', 'invalid-user');
      const hashed = await passwords.hash(password);
      const created = { userId: newId(), createdAt: new Date().toISOString() };
      const message = toMessage(created, trace);
      const row = await find(CREATE, [created.userId, email, hashed, created.createdAt, JSON.stringify([message])]);
      const taken = 'belongs to a user already; sign in, or use another one';
      if (!row) throw refused('email-taken', `The e-mail ${taken}`, [{ field: 'email', message: taken }]);
      announce(message);
      return toUser(row);
    },

    /** The user with this e-mail and password; whichever of the two is wrong, the answer and its cost are the same. */
    async authenticate(request: Credentials): Promise<User> {
      const email = newAccount.shape.email.safeParse(request.email);
      const row = email.success ? await find(BY_EMAIL, [email.data]) : undefined;
      const matches = await passwords.matches(row?.password_hash, request.password);
      if (row && matches) return toUser(row);
      throw new AppError('unauthenticated', 'wrong-credentials', 'The e-mail or the password is wrong');
    },

    async get(id: string): Promise<User> {
      const wrong = [{ field: 'user_id', message: 'is not a UUID' }];
      if (!userId.safeParse(id).success) throw invalid('invalid-user-id', 'The user_id is not a UUID', wrong);
      const row = await find(BY_ID, [id]);
      if (!row) throw notFound('user-not-found', `There is no user ${id}`);
      return toUser(row);
    },
  };
}
