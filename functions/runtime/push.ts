/** A CloudEvent over HTTP (structured or binary) → the handler of pulled messages → 204, or problem+json. */
import * as z from 'zod/mini';
import { methodNotAllowed, toAppError } from './errors.ts';
import type { HttpHandler, HttpRequest } from './function.ts';
import type { Log } from './log.ts';
import { errorOf, type Incoming, type Outcome, parseJson } from './message.ts';
import { sendProblem } from './problem.ts';
import { continueTrace } from './trace.ts';
import { validate } from './validate.ts';

const attribute = z.string().check(z.minLength(1), z.maxLength(1024));

/** The attributes of CloudEvents 1.0 that matter here; extensions are allowed and ignored. */
const cloudEvent = z.object({
  specversion: z.literal('1.0'),
  id: attribute,
  source: attribute,
  type: attribute,
  time: z.optional(z.iso.datetime({ offset: true })),
  traceparent: z.optional(z.string()),
  correlationid: z.optional(z.uuid()),
  data: z.unknown(),
});

const isStructured = (request: HttpRequest): boolean =>
  /^application\/cloudevents\+json\s*(;|$)/i.test(request.headers['content-type'] ?? '');

function binaryAttributes(request: HttpRequest): Record<string, unknown> {
  const attributes: Record<string, unknown> = {
    data: Buffer.isBuffer(request.body) ? parseJson(request.body.toString()) : request.body,
  };
  for (const [name, value] of Object.entries(request.headers))
    if (name.startsWith('ce-')) attributes[name.slice(3)] = value;
  attributes.traceparent ??= request.headers.traceparent;
  return attributes;
}

/** Reads the CloudEvent in a request; throws `invalid` that names the missing or wrong attribute. */
function readCloudEvent(request: HttpRequest, answer: Incoming['answer']): Incoming {
  if (request.method !== 'POST') throw methodNotAllowed(['POST'], 'A function takes CloudEvents by POST');
  const raw = isStructured(request) ? request.body : binaryAttributes(request);
  const event = validate(cloudEvent, raw, 'The CloudEvent', 'invalid-cloud-event');
  return {
    id: event.id,
    type: event.type,
    source: event.source,
    time: event.time ?? new Date().toISOString(),
    trace: continueTrace(event.traceparent),
    correlationId: event.correlationid,
    data: event.data,
    attempt: 1,
    awaited: true,
    answer,
  };
}

export const pushHandler =
  (log: Log, handle: (batch: readonly Incoming[]) => Promise<void>): HttpHandler =>
  async (request, response) => {
    let outcome: Outcome = {};
    let { traceId } = continueTrace(request.headers.traceparent?.toString());
    try {
      const incoming = readCloudEvent(request, (answered) => {
        outcome = answered;
      });
      traceId = incoming.trace.traceId;
      await handle([incoming]);
      const failure = errorOf(outcome);
      if (failure) throw failure;
      response.writeHead(204).end();
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'internal') log.error({ traceId, error: error.stack }, 'pushed event failed');
      sendProblem(response, error, traceId);
    }
  };
