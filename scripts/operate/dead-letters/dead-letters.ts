/** Stream DEAD_LETTERS → its messages, each with what it was and why it is here; one is taken out by its id. */

import { AppError } from '../../../functions/runtime/errors.ts';
import { DEAD } from '../../../functions/runtime/handling/failure.ts';
import { ATTEMPTS_HEADER, ORIGIN_HEADER, readOrigin } from '../../../functions/runtime/handling/retries.ts';
import type { Bus } from '../../../functions/runtime/jetstream/connection.ts';
import { typeOfSubject } from '../../../functions/runtime/messages/message.ts';

export const DEAD_LETTERS = 'DEAD_LETTERS';

export type DeadLetter = {
  /** Its sequence in DEAD_LETTERS. */
  readonly id: number;
  /** When it was given up, RFC 3339. */
  readonly at: string;
  readonly function: string;
  readonly consumer: string;
  /** Slug. */
  readonly error: string;
  readonly message: string;
  readonly attempts: number;
  /** Stream, sequence, ns since 1970, subject of the message. */
  readonly origin: string;
  readonly type: string;
  /** What the message is about, such as an aggregate's id; empty when it does not say. */
  readonly subject: string;
  readonly traceId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer;
};

export type Stored = { message: { subject: string; seq: number; time: string; hdrs?: string; data?: string } };

/** `NATS/1.0` and lines `name: value`; the names in lower case. */
export function parseHeaders(base64 = ''): Record<string, string> {
  const [, ...lines] = Buffer.from(base64, 'base64').toString('utf8').split('\r\n');
  return Object.fromEntries(
    lines.flatMap((line) => {
      const at = line.indexOf(':');
      return at < 1 ? [] : [[line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]];
    }),
  );
}

function toDeadLetter({ message: { subject, seq, time, hdrs, data } }: Stored): DeadLetter {
  const headers = parseHeaders(hdrs);
  // Its key lets a function write to its own subject alone; what it says in a header could be anybody's.
  const name = subject.replace(/^dead\./, '');
  const origin = headers[ORIGIN_HEADER] ?? '';
  return {
    id: seq,
    at: new Date(time).toISOString(),
    function: name,
    consumer: name,
    error: headers[DEAD.error] ?? '',
    message: headers[DEAD.message] ?? '',
    attempts: Number(headers[ATTEMPTS_HEADER] ?? 0),
    origin,
    type: headers['ce-type'] ?? typeOfSubject(readOrigin(origin)?.subject ?? ''),
    subject: headers['ce-subject'] ?? '',
    traceId: headers.traceparent?.split('-')[1] ?? '',
    headers,
    payload: Buffer.from(data ?? '', 'base64'),
  };
}

const NO_MESSAGE = 'jetstream-10037';

/** The stored message, or undefined when there is none. */
export async function storedMessage(bus: Bus, stream: string, which: object): Promise<Stored | undefined> {
  try {
    return await bus.api<Stored>(`STREAM.MSG.GET.${stream}`, which);
  } catch (error) {
    if (error instanceof AppError && error.slug === NO_MESSAGE) return undefined;
    throw error;
  }
}

/** All messages of a stream on a subject, the oldest first, from a sequence on. */
export async function* storedMessages(bus: Bus, stream: string, subject: string, from = 1): AsyncGenerator<Stored> {
  for (let next = from; ; ) {
    const found = await storedMessage(bus, stream, { seq: next, next_by_subj: subject });
    if (!found) return;
    yield found;
    next = found.message.seq + 1;
  }
}

export async function* readDeadLetters(bus: Bus, from = 1): AsyncGenerator<DeadLetter> {
  for await (const stored of storedMessages(bus, DEAD_LETTERS, 'dead.>', from)) yield toDeadLetter(stored);
}

export async function findDeadLetter(bus: Bus, id: number): Promise<DeadLetter | undefined> {
  const found = await storedMessage(bus, DEAD_LETTERS, { seq: id });
  return found && toDeadLetter(found);
}

/** Takes a message out of its stream; one that is not there any more is no error. */
export async function removeMessage(bus: Bus, stream: string, sequence: number): Promise<void> {
  try {
    await bus.api(`STREAM.MSG.DELETE.${stream}`, { seq: sequence, no_erase: true });
  } catch (error) {
    if (!(error instanceof AppError && /^jetstream-(10043|10037|10057)$/.test(error.slug))) throw error;
  }
}

export const isStored = async (bus: Bus, stream: string, which: object): Promise<boolean> =>
  (await storedMessage(bus, stream, which)) !== undefined;

/** Id of the newest dead letter that there ever was. */
export const lastDeadLetter = async (bus: Bus): Promise<number> =>
  (await bus.api<{ state: { last_seq: number } }>(`STREAM.INFO.${DEAD_LETTERS}`)).state.last_seq;

export const removeDeadLetter = (bus: Bus, id: number): Promise<void> => removeMessage(bus, DEAD_LETTERS, id);
