/** Checks outside data against a zod schema; what is wrong becomes one `invalid` error that names every field. */

import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { type FieldError, invalid } from './errors.ts';

z.config(en());

/** An answer must not grow with what was sent. */
const MOST_FIELDS = 20;
const LONGEST_FIELD = 100;

const fieldName = (path: readonly PropertyKey[]): string =>
  path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index ? '.' : ''}${String(key)}`))
    .join('')
    .slice(0, LONGEST_FIELD);

const isMissing = (issue: z.core.$ZodIssue, data: unknown): boolean =>
  issue.code === 'invalid_type' &&
  issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], data) === undefined;

const fieldErrors = (issue: z.core.$ZodIssue, data: unknown): FieldError[] => {
  const field = fieldName(issue.path);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      field: fieldName([...issue.path, key]),
      message: 'is not a known field; leave it out',
    }));
  return [{ field, message: isMissing(issue, data) ? 'is missing' : issue.message }];
};

/** `data` as the schema's type, or throws `invalid` with slug `slug`; `what` names the whole, such as "The body". */
export function validate<Schema extends z.ZodMiniType>(
  schema: Schema,
  data: unknown,
  what: string,
  slug = 'invalid-data',
): z.infer<Schema> {
  // Compiling a schema costs a cold function more than it ever gains a warm one.
  const result = schema.safeParse(data, { jitless: true });
  if (result.success) return result.data;
  const fields = result.error.issues.flatMap((issue) => fieldErrors(issue, data)).slice(0, MOST_FIELDS);
  const summary = fields.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join('; ');
  throw invalid(slug, `${what} is not valid: ${summary}`, fields);
}

/** One line of text that any store and any mail can hold: well-formed Unicode without control characters. */
export const plainText = (maxLength: number) =>
  z.string().check(
    z.minLength(1),
    z.maxLength(maxLength),
    z.refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), 'must not have control characters'),
  );
