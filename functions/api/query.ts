/** What a query may hold, as zod schemas: text in, checked values out, and the schema that the API's document shows. */
import * as z from 'zod/mini';

/** Query parameters are text: what they mean is said apart from how they are checked. */
function parameter<Value>(
  read: (text: string) => Value | undefined,
  message: string,
  meta: Readonly<Record<string, unknown>>,
) {
  const schema = z.pipe(
    // Aborts: a rule about several parameters is not tried on one that cannot be read.
    z.string().check(z.refine((text) => read(text) !== undefined, { error: message, abort: true })),
    z.transform((text) => read(text) as Value),
  );
  z.globalRegistry.add(schema, meta);
  return schema;
}

export const wholeNumber = (minimum: number, maximum: number, description: string) =>
  parameter(
    (text) => (/^\d{1,10}$/.test(text) && +text >= minimum && +text <= maximum ? +text : undefined),
    `must be a whole number from ${minimum} to ${maximum}`,
    { type: 'integer', minimum, maximum, description },
  );

const iso = { time: z.iso.datetime({ offset: true }), day: z.iso.date() };

/** RFC 3339 in UTC, of the years that Postgres and RFC 3339 have in common. */
function utc(text: string): string | undefined {
  if (!iso.time.safeParse(text).success) return undefined;
  const time = new Date(text).toISOString();
  return /^(?!0000)\d{4}-/.test(time) ? time : undefined;
}

export const time = (description: string) =>
  parameter(utc, 'must be an RFC 3339 time such as 2026-11-20T12:00:00Z (in a URL, write + as %2B)', {
    format: 'date-time',
    description,
  });

export const day = (description: string) =>
  parameter(
    (text) => (iso.day.safeParse(text).success && !text.startsWith('0000') ? text : undefined),
    'must be a day such as 2026-11-20',
    { format: 'date', description },
  );

/** The place of a row in a listing by time and id: the last one that a page shows. */
export type Position = { readonly createdAt: string; readonly id: string };

const position = z.tuple([z.iso.datetime().check(z.maxLength(40)), z.uuid()]);

/** Opaque to clients: a position as one word. */
export const cursorOf = ({ createdAt, id }: Position): string =>
  Buffer.from(JSON.stringify([createdAt, id])).toString('base64url');

function readCursor(text: string): Position | undefined {
  try {
    const [createdAt, id] = position.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return utc(createdAt) ? { createdAt, id } : undefined;
  } catch {
    return undefined;
  }
}

export const cursor = parameter(
  readCursor,
  'is not a cursor of this listing; follow the Link header, or leave it out',
  {
    description: 'Where to go on: follow the Link header of the page before.',
  },
) as z.ZodMiniType<Position, string>;

/** A cursor that another service has made, and reads. */
export const foreignCursor = parameter(
  (text) => (text.length > 0 && text.length <= 500 ? text : undefined),
  'is not a cursor of this listing; follow the Link header, or leave it out',
  { description: 'Where to go on: follow the Link header of the page before.' },
);
