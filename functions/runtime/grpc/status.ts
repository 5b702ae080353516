/** AppError ↔ google.rpc.Status in the trailer `grpc-status-details-bin`, both ways; a trailer has 8 KiB at most. */
import type { ServiceError } from '@grpc/grpc-js';
import type { Any } from '../../gen/google/protobuf/any.ts';
import { BadRequest, ErrorInfo, RetryInfo } from '../../gen/google/rpc/error_details.ts';
import { Status } from '../../gen/google/rpc/status.ts';
import { AppError, CODES, type Code, type FieldError } from '../errors.ts';

export const DETAILS_TRAILER = 'grpc-status-details-bin';
const DOMAIN = 'millrace';
const MAX_TRAILERS_BYTES = 8 * 1024;
/** For the headers that grpc-js adds itself, and the names of ours. */
const OVERHEAD_BYTES = 512;
const MAX_MESSAGE = 500;
const MAX_FIELD = 200;
const MAX_FIELDS = 50;
const MAX_WAIT_MS = 24 * 3_600_000;

type Messages = {
  readonly 'google.rpc.ErrorInfo': ErrorInfo;
  readonly 'google.rpc.RetryInfo': RetryInfo;
  readonly 'google.rpc.BadRequest': BadRequest;
};
const TYPES: { readonly [Name in keyof Messages]: { encode(message: Messages[Name]): { finish(): Uint8Array } } } = {
  'google.rpc.ErrorInfo': ErrorInfo,
  'google.rpc.RetryInfo': RetryInfo,
  'google.rpc.BadRequest': BadRequest,
};

const pack = <Name extends keyof Messages>(name: Name, message: Messages[Name]): Any => ({
  typeUrl: `type.googleapis.com/${name}`,
  value: Buffer.from(TYPES[name].encode(message).finish()),
});

const reasonOf = (slug: string): string => slug.toUpperCase().replaceAll('-', '_');
const slugOf = (reason: string): string => reason.toLowerCase().replaceAll('_', '-');
const cut = (text: string, length: number): string => text.slice(0, length).toWellFormed();
const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4;

type WireStatus = { readonly code: number; readonly details: string; readonly trailer: Buffer };

/** What a caller is told of an error: fields are left out from where they would not fit; of an internal one nothing is told. */
export function toStatus(error: AppError): WireStatus {
  const { grpc: code } = CODES[error.code];
  const told = error.code === 'internal' ? new AppError('internal', 'internal', 'internal error') : error;
  const message = cut(told.message, MAX_MESSAGE);
  const details = [pack('google.rpc.ErrorInfo', { reason: reasonOf(told.slug), domain: DOMAIN })];
  if (told.retryAfterMs !== undefined) {
    const waitMs = Math.ceil(told.retryAfterMs);
    const retryDelay = { seconds: Math.floor(waitMs / 1_000), nanos: (waitMs % 1_000) * 1_000_000 };
    details.push(pack('google.rpc.RetryInfo', { retryDelay }));
  }
  const encode = (fieldViolations: BadRequest['fieldViolations']): Buffer => {
    const wrong = fieldViolations.length > 0 ? [pack('google.rpc.BadRequest', { fieldViolations })] : [];
    return Buffer.from(Status.encode({ code, message, details: [...details, ...wrong] }).finish());
  };
  const budget = MAX_TRAILERS_BYTES - OVERHEAD_BYTES - encodeURI(message).length;
  const violations = told.fields.slice(0, MAX_FIELDS).map(({ field, message: description }) => ({
    field: cut(field, MAX_FIELD),
    description: cut(description, MAX_FIELD),
  }));
  let trailer = encode(violations);
  while (violations.length > 0 && base64Length(trailer.length) > budget) {
    violations.pop();
    trailer = encode(violations);
  }
  return { code, details: message, trailer };
}

/** CANCELLED, DEADLINE_EXCEEDED: nothing is known but that no answer came. */
const NO_ANSWER = new Set([1, 4]);

const codeOf = (status: number): Code => {
  if (NO_ANSWER.has(status)) return 'unavailable';
  const codes = Object.keys(CODES) as Code[];
  return codes.find((code) => CODES[code].grpc === status) ?? 'internal';
};

/** What `read` makes of it; undefined when there is none, or it is malformed. */
function attempt<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

type Told = { readonly slug: string | undefined; readonly fields: FieldError[]; readonly retryAfterMs?: number };

function readTrailer(trailer: unknown): Told {
  const packed = attempt(() => (Buffer.isBuffer(trailer) ? Status.decode(trailer).details : [])) ?? [];
  const find = <Message>(name: keyof Messages, type: { decode(bytes: Uint8Array): Message }): Message | undefined => {
    const found = packed.find(({ typeUrl }) => typeUrl.endsWith(`/${name}`));
    return found && attempt(() => type.decode(found.value));
  };
  const info = find('google.rpc.ErrorInfo', ErrorInfo);
  const ours = info?.domain === DOMAIN && /^[A-Z][A-Z0-9_]{0,62}$/.test(info.reason);
  const violations = find('google.rpc.BadRequest', BadRequest)?.fieldViolations ?? [];
  const delay = find('google.rpc.RetryInfo', RetryInfo)?.retryDelay;
  const waitMs = delay ? delay.seconds * 1_000 + delay.nanos / 1_000_000 : -1;
  return {
    slug: ours ? slugOf(info.reason) : undefined,
    fields: violations.slice(0, MAX_FIELDS).map(({ field, description }) => ({ field, message: description })),
    ...(waitMs >= 0 && waitMs <= MAX_WAIT_MS ? { retryAfterMs: waitMs } : {}),
  };
}

/** A failed call as an AppError: as the service threw it, or when it said nothing, as `<name>-<code>`. */
export function fromStatus(name: string, error: Pick<ServiceError, 'code' | 'details' | 'metadata'>): AppError {
  const code = codeOf(error.code);
  const { slug, ...told } = readTrailer(error.metadata?.get(DETAILS_TRAILER)[0]);
  const details = { cause: error, ...told };
  if (slug && code !== 'internal') return new AppError(code, slug, error.details, details);
  const what =
    code === 'unavailable' ? 'does not answer at the moment; try again' : `answered with gRPC status ${error.code}`;
  return new AppError(code, `${name}-${code}`, `The service '${name}' ${what}`, details);
}
