/** gRPC in Millrace's words: methods as they are generated, and AppError ↔ status with metadata, both ways. */
import type { ServiceError } from '@grpc/grpc-js';
import { AppError, CODES, type Code, type FieldError } from './errors.ts';
import type { Trace } from './trace.ts';

export const MAX_MESSAGE_BYTES = 64 * 1024;

/** A method as ts-proto generates it, its request and response types forgotten. */
export type AnyMethod = {
  readonly path: string;
  requestSerialize(request: never): Buffer;
  requestDeserialize(bytes: Buffer): unknown;
  responseSerialize(response: never): Buffer;
  responseDeserialize(bytes: Buffer): unknown;
};
export type RequestOf<Method extends AnyMethod> = ReturnType<Method['requestDeserialize']>;
export type ResponseOf<Method extends AnyMethod> = ReturnType<Method['responseDeserialize']>;

/** What a handler knows of a call besides its request. */
export type Call = { readonly trace: Trace; readonly metadata: Readonly<Record<string, string>> };

type Handler = (request: never, call: Call) => Promise<unknown>;
type Handlers<Methods extends Record<string, AnyMethod>> = {
  readonly [Name in keyof Methods]: (
    request: RequestOf<Methods[Name]>,
    call: Call,
  ) => Promise<ResponseOf<Methods[Name]>>;
};
export type Offer = { readonly method: AnyMethod; readonly handler: Handler };

/** Methods of a generated service definition with their handlers, checked against each other. */
export const offer = <Methods extends Record<string, AnyMethod>>(
  methods: Methods,
  handlers: Handlers<Methods>,
): Offer[] => Object.entries(methods).map(([name, method]) => ({ method, handler: handlers[name] as Handler }));

/** Metadata is ASCII: everything else as JSON's own escapes. */
const toAsciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

type Status = { readonly code: number; readonly details: string; readonly fields: Readonly<Record<string, string>> };

/** What a caller is told of an error. Of an internal one nothing: what it says is for the log. */
export function toStatus({ code, slug, message, fields, retryAfterMs }: AppError): Status {
  const status = CODES[code].grpc;
  if (code === 'internal') return { code: status, details: 'internal error', fields: { 'millrace-slug': 'internal' } };
  const metadata = {
    'millrace-slug': slug,
    ...(fields.length > 0 ? { 'millrace-fields': toAsciiJson(fields) } : {}),
    ...(retryAfterMs === undefined ? {} : { 'millrace-retry-after-ms': String(Math.ceil(retryAfterMs)) }),
  };
  return { code: status, details: message.toWellFormed(), fields: metadata };
}

/** CANCELLED, DEADLINE_EXCEEDED: nothing is known but that no answer came. */
const NO_ANSWER = new Set([1, 4]);

const codeOf = (status: number): Code => {
  if (NO_ANSWER.has(status)) return 'unavailable';
  const codes = Object.keys(CODES) as Code[];
  return codes.find((code) => CODES[code].grpc === status) ?? 'internal';
};

const parseFields = (json: string | undefined): FieldError[] => {
  try {
    const fields: unknown = JSON.parse(json ?? '[]');
    return Array.isArray(fields)
      ? fields.map(({ field, message }) => ({ field: `${field}`, message: `${message}` }))
      : [];
  } catch {
    return [];
  }
};

/** A failed call as an AppError: as the service threw it, or when it said nothing, as `<name>-<code>`. */
export function fromStatus(name: string, error: Pick<ServiceError, 'code' | 'details' | 'metadata'>): AppError {
  const read = (key: string): string | undefined => error.metadata?.get(key)[0]?.toString();
  const code = codeOf(error.code);
  const slug = read('millrace-slug');
  const wait = read('millrace-retry-after-ms');
  const details = {
    cause: error,
    fields: parseFields(read('millrace-fields')),
    ...(wait && Number.isFinite(Number(wait)) ? { retryAfterMs: Number(wait) } : {}),
  };
  if (slug && code !== 'internal') return new AppError(code, slug, error.details, details);
  const what =
    code === 'unavailable' ? 'does not answer at the moment; try again' : `answered with gRPC status ${error.code}`;
  return new AppError(code, `${name}-${code}`, `The service '${name}' ${what}`, details);
}
