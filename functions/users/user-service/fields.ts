/** What callers send about users → checked values; what is wrong becomes `invalid` and names the field. */
import * as z from 'zod/mini';
import { invalid } from '../../runtime/errors.ts';
import { plainText, validate } from '../../runtime/schema.ts';
import { isGuessable } from './guessable.ts';
import { hasGoodLength, MAX_CHARACTERS, MIN_CHARACTERS } from './passwords.ts';

const MAX_EMAIL_CHARACTERS = 254;

const text = (maxLength: number) =>
  z.string().check(
    z.trim(),
    z.refine(
      (value) => value === '' || plainText(maxLength).safeParse(value).success,
      `must be one line of at most ${maxLength} characters, without control characters`,
    ),
  );

const uuid = z.uuid('is not a UUID').check(z.toLowerCase());
const password = z
  .string()
  .check(z.refine(hasGoodLength, `must have ${MIN_CHARACTERS} to ${MAX_CHARACTERS} characters`));

export const email = z
  .string()
  .check(
    z.trim(),
    z.maxLength(MAX_EMAIL_CHARACTERS, `has more than ${MAX_EMAIL_CHARACTERS} characters`),
    z.email('is not an e-mail address; write it like name@example.com'),
  );

const newUser = z.object({ email, password, name: text(100), user_id: z.union([z.literal(''), uuid]) });
const newName = z.object({ name: text(100) });
const newPassword = z.object({ new_password: password });
const address = z.object({ email });
const id = z.object({ user_id: uuid });
const ids = z.object({ user_ids: z.array(uuid).check(z.maxLength(100, 'has more than 100 ids')) });
const reason = z.object({ reason: text(200) });

/** Throws `invalid-user` when the password is easily guessed, of whoever has this e-mail. */
export function refuseGuessable(field: 'password' | 'new_password', value: string, ofEmail: string): void {
  if (!isGuessable(value, ofEmail)) return;
  const message = 'is one of the most common passwords; take another one';
  throw invalid('invalid-user', `The ${field} ${message}`, [{ field, message }]);
}

type NewUser = { readonly email: string; readonly password: string; readonly name: string; readonly userId: string };

export function readNewUser(request: NewUser): NewUser {
  const read = validate(newUser, { ...request, user_id: request.userId }, 'The new user', 'invalid-user');
  refuseGuessable('password', read.password, read.email);
  return { ...read, userId: read.user_id };
}

export const readName = (name: string): string => validate(newName, { name }, 'The user', 'invalid-user').name;

export const readNewPassword = (value: string): string =>
  validate(newPassword, { new_password: value }, 'The new password', 'invalid-user').new_password;

export const readEmail = (value: string): string =>
  validate(address, { email: value }, 'The request', 'invalid-user').email;

export const readUserId = (value: string): string =>
  validate(id, { user_id: value }, 'The user_id', 'invalid-user-id').user_id;

export const readUserIds = (values: readonly string[]): string[] =>
  validate(ids, { user_ids: values }, 'The list of ids', 'invalid-user-id').user_ids;

export const readReason = (value: string): string =>
  validate(reason, { reason: value }, 'The reason', 'invalid-reason').reason;
