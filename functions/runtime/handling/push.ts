/** A CloudEvent over HTTP (structured or binary) → the handler of pulled messages → 204, or problem+json. */
import * as z from 'zod/mini';
import { attributes, readCloudEvents } from '../cloud-event.ts';
import { invalid, methodNotAllowed, toAppError } from '../errors.ts';
import type { HttpHandler, HttpRequest } from '../function.ts';
import { sendProblem } from '../http/problem.ts';
import type { Log } from '../log.ts';
import { errorOf, type Incoming, type Outcome, REPLAY_HEADER } from '../messages/message.ts';
import { validate } from '../schema.ts';
import { continueTrace, currentTrace, inSpan, readTrace, type Trace } from '../trace.ts';

/** The mark of a replay as CloudEvents name an extension; in JSON it may be a boolean. */
const millracereplay = z.optional(z.union([z.boolean(), z.enum(['true', 'false'])]));

const cloudEvent = z.object({
  ...attributes,
  subject: z.optional(z.string()),
  correlationid: z.optional(z.uuid()),
  millracereplay,
  data: z.unknown(),
});

/** The trace of a request itself. */
const receivedBy = ({ headers }: HttpRequest): Trace =>
  currentTrace() ?? continueTrace(headers.traceparent?.toString());

/** Reads the CloudEvent in a request; throws `invalid` that names the missing or wrong attribute. */
function readCloudEvent(request: HttpRequest, answer: Incoming['answer']): Incoming {
  if (request.method !== 'POST') throw methodNotAllowed(['POST'], 'A function takes CloudEvents by POST');
  const sent = readCloudEvents(request);
  if (sent.form === 'batch')
    throw invalid('not-json-content', 'A function takes one CloudEvent at a time, not a batch');
  const event = validate(cloudEvent, sent.event, 'The CloudEvent', 'invalid-cloud-event');
  return {
    id: event.id,
    type: event.type,
    source: event.source,
    time: event.time ?? new Date().toISOString(),
    trace: readTrace(event.traceparent) ?? receivedBy(request),
    correlationId: event.correlationid,
    subject: event.subject,
    data: event.data,
    attempt: 1,
    replayed: String(event.millracereplay) === 'true' || request.headers[REPLAY_HEADER] === 'true',
    awaited: true,
    answer,
  };
}

export const pushHandler =
  (log: Log, handle: (batch: readonly Incoming[]) => Promise<void>): HttpHandler =>
  async (request, response) => {
    let outcome: Outcome = {};
    let { traceId } = receivedBy(request);
    try {
      const incoming = readCloudEvent(request, (answered) => {
        outcome = answered;
      });
      traceId = incoming.trace.traceId;
      const { type, id, trace, subject } = incoming;
      const attributes = { 'messaging.message.id': id, 'cloudevents.event_type': type };
      await inSpan(`process ${type}`, { kind: 'consumer', parent: trace.traceparent, subject, attributes }, (span) =>
        handle([{ ...incoming, trace: span.trace }]),
      );
      const failure = errorOf(outcome);
      if (failure) throw failure;
      response.writeHead(204).end();
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'internal') log.error({ traceId, error: error.stack }, 'pushed event failed');
      sendProblem(response, error, traceId);
    }
  };
