/** Messages as CloudEvents 1.0: read from NATS (headers `ce-*`, or bare) and written to it. */

import { AppError, type Code, type FieldError, invalid } from '../errors.ts';
import { nameId } from '../ids.ts';
import { continueTrace, readTrace, type Trace } from '../trace.ts';

/** What a handler gets, whether it was pulled from JetStream or pushed over HTTP. */
export type Incoming = {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  /** When the sender made it, RFC 3339. */
  readonly time: string;
  readonly trace: Trace;
  /** Id of the command that began the chain of which this is a link; undefined at its beginning. */
  readonly correlationId: string | undefined;
  /** Id of the aggregate that it is about (CloudEvents' word), where that can be told. */
  readonly subject?: string | undefined;
  readonly data: unknown;
  /** 1 at the first delivery. */
  readonly attempt: number;
  /** True when it is sent again for those who have no effect outside, such as a read model: nobody is told of it. */
  readonly replayed?: boolean;
  /** True when somebody waits for the outcome. */
  readonly awaited: boolean;
  /** Sends the outcome of a command to whoever waits for it, if anybody does. */
  answer(outcome: Outcome): void;
};

/** The id by which a command is known in the store, and in the history of what it led to. */
export const commandIdOf = ({ source, id }: Pick<Incoming, 'source' | 'id'>): string => nameId(source, id);

/** The prefix of what is sent to a function alone; the others' keys let them neither read nor write it. */
export const inboxOf = (name: string): string => `_INBOX.${name}`;
/** Command handlers may write below it, and nowhere else in an inbox: the rest has the answers of JetStream. */
export const answersTo = (name: string): string => `${inboxOf(name)}.answers`;

/** Header with the subject to send a command's answer to: an inbox, so that an answer can never pass for an event. */
export const REPLY_HEADER = 'millrace-reply';

/** Header of what is sent again, `true`: it is handled by those alone who have no effect outside. */
export const REPLAY_HEADER = 'millrace-replay';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const INBOX = /^_INBOX(\.[\w-]{1,64}){1,4}$/;

function replySubject(header: string | undefined): string | undefined {
  if (header === undefined || INBOX.test(header)) return header;
  throw invalid('invalid-reply', `The header ${REPLY_HEADER} must name an inbox, such as _INBOX.a1b2`);
}

/** `command.parcel.send` is its own type; the type of `parcel.<id>.sent` is `parcel.sent`. */
export function typeOfSubject(subject: string): string {
  const tokens = subject.split('.');
  return tokens[0] === 'command' || tokens.length < 3 ? subject : `${tokens[0]}.${tokens.at(-1)}`;
}

/** The filter by which a consumer gets messages of a type: `parcel.sent` is on `parcel.*.sent`. */
export const filterOf = (type: string): string => (type.startsWith('command.') ? type : subjectOf(type, '*'));

/** The subject of an aggregate's event: `parcel.sent` of parcel 1 goes to `parcel.1.sent`. */
export const subjectOf = (type: string, id: string): string => type.replace('.', `.${id}.`);

/** The aggregate that a message is about: an event's NATS subject names it, and a command's envelope may. */
const subjectIn = (natsSubject: string, type: string, named: string | undefined): string | undefined =>
  natsSubject === type ? named || undefined : natsSubject.split('.')[1];

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(
      'not-json',
      `The data is not JSON (${error instanceof Error ? error.message : error}); send a JSON object`,
    );
  }
}

/** Without a copy of the bytes. */
const textOf = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('utf8');

/** What is read of a message that a consumer delivers. */
type Delivered = {
  readonly subject: string;
  /** By lower case name; undefined when they cannot be read. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly data: Uint8Array;
  readonly stream: string;
  readonly sequence: number;
  readonly storedAtNanos: string;
  readonly attempts: number;
};

/** A pulled message as Incoming. A bare one takes its type from the subject and its id from its stream sequence. */
export function fromDelivered(message: Delivered, answer: (to: string, outcome: Outcome) => void): Incoming {
  const { headers } = message;
  if (!headers) throw invalid('bad-headers', 'The headers of the message cannot be read');
  const type = typeOfSubject(message.subject);
  if (headers['ce-type'] && headers['ce-type'] !== type)
    throw invalid(
      'wrong-type',
      `ce-type is '${headers['ce-type']}' on subject ${message.subject}, whose type is '${type}'`,
    );
  const replyTo = replySubject(headers[REPLY_HEADER]);
  const data = parseJson(textOf(message.data));
  return {
    id: headers['ce-id'] || `${message.stream}-${message.sequence}-${message.storedAtNanos}`,
    type,
    source: headers['ce-source'] || `nats:${message.stream}`,
    time: headers['ce-time'] || new Date(Number(message.storedAtNanos.slice(0, -6))).toISOString(),
    trace: readTrace(headers.traceparent) ?? continueTrace(),
    correlationId: UUID.test(headers['ce-correlationid'] ?? '') ? headers['ce-correlationid'] : undefined,
    subject: subjectIn(message.subject, type, headers['ce-subject']),
    data,
    attempt: message.attempts,
    replayed: headers[REPLAY_HEADER] === 'true',
    awaited: replyTo !== undefined,
    answer: (outcome) => {
      if (replyTo) answer(replyTo, outcome);
    },
  };
}

type Envelope = {
  id: string;
  type: string;
  /** The version of the data's schema; 1 without it. */
  schemaVersion?: number;
  source?: string;
  subject: string;
  time: string;
  traceparent: string;
  correlationId?: string | undefined;
};

/** CloudEvents 1.0 attributes as NATS headers (the binding's `ce-` prefix). */
export const toHeaders = (event: Envelope): Record<string, string> => ({
  'ce-specversion': '1.0',
  'ce-id': event.id,
  'ce-source': event.source ?? '/millrace',
  'ce-type': event.type,
  'ce-dataschema': `urn:millrace:${event.type}:${event.schemaVersion ?? 1}`,
  'ce-subject': event.subject,
  'ce-time': event.time,
  ...(event.correlationId ? { 'ce-correlationid': event.correlationId } : {}),
  'content-type': 'application/json',
  traceparent: event.traceparent,
});

/** What a command led to, as it travels to whoever waits: its result, or the error. */
export type Outcome = {
  readonly result?: unknown;
  readonly error?: {
    readonly code: Code;
    readonly slug: string;
    readonly message: string;
    readonly fields: readonly FieldError[];
  };
};

export const outcomeOf = ({ code, slug, message, fields }: AppError): Outcome => ({
  error: { code, slug, message, fields },
});

/** The error in an outcome, as it was thrown; undefined when there is none. */
export const errorOf = ({ error }: Outcome): AppError | undefined =>
  error && new AppError(error.code, error.slug, error.message, { fields: error.fields });
