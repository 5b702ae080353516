/** A request with CloudEvents 1.0, in one of the three forms of its HTTP binding → the events as they were sent. Pure. */
import * as z from 'zod/mini';
import { invalid } from './errors.ts';
import type { HttpRequest } from './function.ts';
import { parseJson } from './messages/message.ts';
import { plainText } from './schema.ts';

export const STRUCTURED = 'application/cloudevents+json';
export const BATCH = 'application/cloudevents-batch+json';
export const MOST_EVENTS = 100;

const isJson = (media: string): boolean => /^[\w.+-]+\/([\w.+-]+\+)?json$/.test(media);

/** Media type of a content-type, without its parameters. */
const mediaOf = (contentType: string): string => (contentType.split(';')[0] ?? '').trim().toLowerCase();

const attribute = plainText(1024);

/** The attributes that matter here; others, and extensions, are allowed and ignored. Data is JSON. */
export const attributes = {
  specversion: z.literal('1.0'),
  id: attribute,
  source: attribute,
  type: attribute,
  time: z.optional(z.iso.datetime({ offset: true })),
  datacontenttype: z.optional(
    z.string().check(z.refine((type) => isJson(mediaOf(type)), 'must be JSON, such as application/json')),
  ),
  traceparent: z.optional(z.string()),
};

/** `single`: an event. `batch`: a list of events, at most `MOST_EVENTS`. No event is checked yet. */
export type Sent =
  | { readonly form: 'single'; readonly event: unknown }
  | { readonly form: 'batch'; readonly events: readonly unknown[] };

/** Undoes what the binding asks of a header's value: a quoted string, and then percent-encoding, once. */
function headerText(name: string, value: string): string {
  const [, quoted] = /^"((?:[^"\\]|\\.)*)"$/.exec(value) ?? [];
  const unquoted = quoted?.replaceAll(/\\(.)/g, '$1') ?? value;
  try {
    return decodeURIComponent(unquoted);
  } catch {
    const message = 'must be percent-encoded UTF-8; write a percent sign as %25';
    throw invalid('invalid-cloud-event', `The header ${name} ${message}`, [{ field: name, message }]);
  }
}

const parsed = (body: unknown): unknown => (Buffer.isBuffer(body) ? parseJson(body.toString()) : body);

function binary({ headers, body }: Request, contentType: string): object {
  const event: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith('ce-')) event[name.slice(3)] = headerText(name, String(value));
  return { ...event, datacontenttype: contentType, data: parsed(body) };
}

/** An attribute that is null is not there, and JSON may come as base64. `place` is where the event is, such as `[3].`. */
function structured(sent: unknown, place = ''): unknown {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return sent;
  const given = Object.entries(sent).filter(([name, value]) => name === 'data' || value !== null);
  const { data_base64: encoded, ...event } = Object.fromEntries(given);
  if (encoded === undefined) return event;
  const refuse = (message: string) =>
    invalid('invalid-cloud-event', `${place}data_base64 ${message}`, [{ field: `${place}data_base64`, message }]);
  if ('data' in event) throw refuse('is there beside data; leave one of them out');
  try {
    return { ...event, data: JSON.parse(Buffer.from(String(encoded), 'base64').toString()) };
  } catch {
    throw refuse('is not JSON in base64; send the JSON as data');
  }
}

function batch(sent: unknown): Sent {
  if (!Array.isArray(sent)) throw invalid('invalid-cloud-event', 'A batch must be an array of CloudEvents');
  if (sent.length > MOST_EVENTS)
    throw invalid('too-many-events', `The batch has ${sent.length} events; send at most ${MOST_EVENTS} at once`);
  return { form: 'batch', events: sent.map((event, index) => structured(event, `[${index}].`)) };
}

type Request = Pick<HttpRequest, 'headers' | 'body'>;

/** Throws `invalid`: `not-json-content` for other content types, `not-json`, `too-many-events`, `invalid-cloud-event`. */
export function readCloudEvents(request: Request): Sent {
  const contentType = request.headers['content-type'] ?? '';
  const media = mediaOf(contentType);
  if (media === STRUCTURED) return { form: 'single', event: structured(parsed(request.body)) };
  if (media === BATCH) return batch(parsed(request.body));
  if (isJson(media) && !media.startsWith('application/cloudevents'))
    return { form: 'single', event: binary(request, contentType) };
  throw invalid(
    'not-json-content',
    `The content-type is '${contentType}'; send ${STRUCTURED}, ${BATCH}, or headers ce-* and application/json`,
  );
}
