/** A handler's attempts on messages → spans: how long each waited and for what, the attempt, and of a batch one that links to all. */

import { toAppError } from '../errors.ts';
import type { DeliveredMessage } from '../jetstream/delivered-message.ts';
import { type Incoming, typeOfSubject } from '../messages/message.ts';
import { inSpan, inTrace, readTrace, recording, type Span, startSpan } from '../trace.ts';

/** A message that was taken. `dueMs` is when it might have been: ms since 1970. */
export type Taken = { readonly message: DeliveredMessage; readonly incoming: Incoming; readonly dueMs: number };

/** One or more messages in a handler's hands. */
export type Attempt = {
  /** What the handler gets: what it does goes on in the trace of each message. */
  readonly batch: readonly Incoming[];
  run<Result>(work: () => Result): Result;
  /** Does `work` about one of the messages alone. */
  about<Result>(index: number, work: () => Result): Result;
  /** It is over, for what was thrown if it failed. */
  end(thrown?: unknown): void;
  /** The batch failed, and its messages are tried again one by one. */
  split(thrown: unknown): void;
};

const MOST_REMEMBERED = 1_000;
/** Stream sequence of a message that was handed back → when it comes again. */
const handedBack = new Map<string, number>();

/** The message comes again after `delayMs`. */
export function comesAgain({ streamSequence }: DeliveredMessage, delayMs: number): void {
  if (recording() && handedBack.size < MOST_REMEMBERED) handedBack.set(streamSequence, Date.now() + delayMs);
}

/** When a message was stored or has become due; of one that comes again for an unknown reason, now. */
export function dueMsOf({ streamSequence, deliveries, storedAtNanos }: DeliveredMessage): number {
  const again = handedBack.get(streamSequence);
  handedBack.delete(streamSequence);
  return deliveries === 1 ? Number(storedAtNanos) / 1e6 : (again ?? Date.now());
}

const messaging = (consumer: string, stream: string) => ({
  'messaging.system': 'nats',
  'messaging.operation.name': 'process',
  'messaging.operation.type': 'process',
  'messaging.destination.name': stream,
  'messaging.consumer.group.name': consumer,
});

function startProcess(consumer: string, { message, incoming }: Taken, batch?: Span): Span {
  return startSpan(`process ${incoming.type}`, {
    kind: 'consumer',
    parent: message.headers?.traceparent,
    subject: incoming.subject,
    links: batch ? [batch.trace] : [],
    attributes: {
      ...messaging(consumer, message.stream),
      'messaging.message.id': incoming.id,
      'cloudevents.event_type': incoming.type,
      'millrace.attempt': message.attempts,
      'millrace.delivery': message.deliveries,
    },
  });
}

/** What a message waited for; `openedMs` is when this process began to take messages. */
function noteWait({ message, incoming, dueMs }: Taken, span: Span, openedMs: number): void {
  const now = Date.now();
  const due = Math.min(dueMs, now);
  const early = due < openedMs;
  const born = performance.timeOrigin;
  const reason = message.attempts > 1 ? 'retry' : early ? 'cold-start' : 'lag';
  const cold = {
    'millrace.wait.slept_ms': Math.round(Math.max(born - due, 0)),
    'millrace.wait.started_ms': Math.round(Math.max(openedMs - Math.max(due, born), 0)),
    'millrace.wait.queued_ms': Math.round(now - Math.max(due, openedMs)),
  };
  const parent = readTrace(message.headers?.traceparent) ?? span.trace;
  const attributes = { 'millrace.wait.reason': reason, ...(early ? cold : {}) };
  startSpan('wait', { parent: parent.traceparent, startMs: due, subject: incoming.subject, attributes }).end(now);
}

/** Without a recorder a message's trace is known to the log, and that is all. */
function unrecorded(taken: readonly Taken[]): Attempt {
  const about: Attempt['about'] = (index, work) => {
    const incoming = taken[index]?.incoming;
    return incoming ? inTrace(incoming.trace, work, incoming.subject) : work();
  };
  return {
    batch: taken.map(({ incoming }) => incoming),
    run: (work) => (taken.length === 1 ? about(0, work) : work()),
    about,
    end: () => undefined,
    split: () => undefined,
  };
}

/** Begins an attempt; one after a `split` has waited already. */
export function startAttempt(
  consumer: string,
  openedMs: number,
  taken: readonly Taken[],
  { waited }: { readonly waited: boolean },
): Attempt {
  if (!recording()) return unrecorded(taken);
  const [first] = taken;
  const links = taken.flatMap(({ message }) => readTrace(message.headers?.traceparent) ?? []);
  const together =
    taken.length > 1 && first
      ? startSpan('process batch', {
          kind: 'consumer',
          links,
          attributes: { ...messaging(consumer, first.message.stream), 'messaging.batch.message_count': taken.length },
        })
      : undefined;
  const spans = taken.map((one) => {
    const span = startProcess(consumer, one, together);
    if (!waited) noteWait(one, span, openedMs);
    return span;
  });
  const about: Attempt['about'] = (index, work) => spans[index]?.run(work) ?? work();
  return {
    batch: taken.map(({ incoming }, index) => ({ ...incoming, trace: spans[index]?.trace ?? incoming.trace })),
    run: (work) => (together ? together.run(work) : about(0, work)),
    about,
    end(thrown) {
      for (const span of together ? [together, ...spans] : spans) {
        if (thrown !== undefined) span.fail(toAppError(thrown).slug);
        span.end();
      }
    },
    split(thrown) {
      together?.fail(toAppError(thrown).slug);
      together?.end();
    },
  };
}

/** Ends a message that the handler does not get, for what was thrown. */
export const refusing = (consumer: string, message: DeliveredMessage, thrown: unknown, fail: () => Promise<void>) =>
  inSpan(
    `process ${typeOfSubject(message.subject)}`,
    { kind: 'consumer', parent: message.headers?.traceparent, attributes: messaging(consumer, message.stream) },
    async (span) => {
      span.fail(toAppError(thrown).slug);
      await fail();
    },
  );
