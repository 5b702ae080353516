/** Unary calls → handlers: each call is admitted or refused, handled with its deadline, and answered once. */
import type { Metadata, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { AppError, CODES, invalid, toAppError, unavailable } from '../errors.ts';
import type { Log } from '../log.ts';
import { record } from '../metrics.ts';
import { continueTrace, currentTrace, inTrace } from '../trace.ts';
import type { AnyMethod, Call, Offer } from './methods.ts';
import { DETAILS_TRAILER, toStatus } from './status.ts';

type UnaryCall = ServerUnaryCall<Buffer, Buffer>;
type Options = {
  readonly log: Log;
  /** Calls in work at the same time; one more is refused. */
  readonly maxCalls: number;
  /** Callers have certificates, whose common name must be the function that they say they are. */
  readonly secure: boolean;
  readonly newMetadata: () => Metadata;
};
type Answers = {
  of(offer: Offer): (call: UnaryCall, callback: sendUnaryData<Buffer>) => void;
  /** Resolves when no call is in work any more. */
  settled(): Promise<void>;
};

const MAX_METADATA_BYTES = 8 * 1024;
const BUSY_MS = 1_000;
const END_OF_TIME_MS = 8.64e15;

const bytesOf = (metadata: Metadata): number =>
  Object.keys(metadata.getMap()).reduce(
    (sum, key) => sum + metadata.get(key).reduce((size, value) => size + key.length + value.length, 0),
    0,
  );

/** The first value of each key, binary ones left out. */
const stringsOf = (metadata: Metadata): Record<string, string> =>
  Object.fromEntries(
    Object.entries(metadata.getMap()).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );

const readRequest = (method: AnyMethod, bytes: Buffer): never => {
  try {
    return method.requestDeserialize(bytes) as never;
  } catch {
    throw invalid('malformed-message', `The message for ${method.path} is not of its protobuf type`);
  }
};

function checkName(call: UnaryCall): void {
  const name = call.getAuthContext().sslPeerCertificate?.subject.CN;
  if (!name || call.metadata.get('millrace-function')[0] !== name)
    throw new AppError(
      'unauthenticated',
      'wrong-certificate',
      'The metadata millrace-function must be the common name of your certificate',
    );
}

/** Throws why a call is not taken. */
function admit(call: UnaryCall, busy: number, { maxCalls, secure }: Options): void {
  if (secure) checkName(call);
  if (bytesOf(call.metadata) > MAX_METADATA_BYTES)
    throw invalid('metadata-too-large', `The metadata of a call may have ${MAX_METADATA_BYTES} bytes; send less`);
  // What grpc-js gives for none.
  if (Number(call.getDeadline()) === Number.POSITIVE_INFINITY)
    throw invalid('deadline-required', 'The call has no deadline; set one, such as 2 seconds');
  if (busy >= maxCalls)
    throw new AppError('exhausted', 'too-many-calls', `${maxCalls} calls are in work; try again`, {
      retryAfterMs: BUSY_MS,
    });
}

/** What was thrown, as an error; work that ended because nobody waits for it any more has not failed. */
function errorOf(thrown: unknown, signal: AbortSignal): AppError {
  const stopped = signal.aborted && thrown instanceof Error && thrown.name === 'AbortError';
  return toAppError(stopped ? signal.reason : thrown);
}

function note(log: Log, error: AppError, about: object): void {
  const fields = { ...about, code: error.code, error: error.slug };
  const origin = error.cause instanceof Error ? error.cause : error;
  if (error.code === 'internal') log.error({ ...fields, stack: origin.stack }, 'call failed');
  else if (CODES[error.code].fate === 'retry') log.warn({ ...fields, detail: origin.message }, 'call failed');
}

export function openAnswers(options: Options): Answers {
  const { log, newMetadata } = options;
  const active = new Set<Promise<void>>();
  let busy = 0;

  const handle = async (call: UnaryCall, { method, handler, probe }: Offer, known: Call): Promise<Buffer> => {
    if (!probe) admit(call, busy, options);
    busy += 1;
    try {
      const response = await handler(readRequest(method, call.request), known);
      return method.responseSerialize(response as never);
    } finally {
      busy -= 1;
    }
  };

  const answer = (call: UnaryCall, callback: sendUnaryData<Buffer>, offer: Offer): void => {
    const gone = new AbortController();
    const abandon = () => gone.abort(unavailable('call-abandoned', 'The caller does not wait any more'));
    call.once('cancelled', abandon);
    const metadata = stringsOf(call.metadata);
    const trace = currentTrace() ?? continueTrace(metadata.traceparent);
    const began = Date.now();
    const counted = (code: string): void => {
      const { method, probe } = offer;
      const seconds = (Date.now() - began) / 1_000;
      if (!probe) record('millrace.rpc.serve', { method: method.path, code }, seconds, trace.traceId);
    };
    const deadline = new Date(Math.min(Number(call.getDeadline()), END_OF_TIME_MS));
    const refuse = (thrown: unknown): void => {
      const error = errorOf(thrown, gone.signal);
      counted(error.code);
      note(log, error, { method: offer.method.path, traceId: trace.traceId });
      const { code, details, trailer } = toStatus(error);
      const trailers = newMetadata();
      trailers.set(DETAILS_TRAILER, trailer);
      callback({ code, details, metadata: trailers });
    };
    const known = { trace, metadata, deadline, signal: gone.signal };
    const work = inTrace(trace, () => handle(call, offer, known))
      .then((response) => {
        counted('ok');
        callback(null, response);
      }, refuse)
      .finally(() => {
        // An answered call is told of as cancelled too.
        call.off('cancelled', abandon);
        active.delete(work);
      });
    active.add(work);
  };

  return {
    // That the caller has gone may have come together with the request, and is known a moment later.
    of: (offer) => (call, callback) => setImmediate(() => call.cancelled || answer(call, callback, offer)),
    settled: async () => void (await Promise.all(active)),
  };
}
