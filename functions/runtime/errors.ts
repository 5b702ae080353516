/** The one error of Millrace: a closed set of codes, each with its HTTP status, gRPC status and fate as a message. */

export type Fate = 'dead-letter' | 'answer' | 'retry';

/** HTTP status (RFC 9110), gRPC status (grpc.status), and what becomes of a message whose handling failed so. */
export const CODES = {
  invalid: { http: 400, grpc: 3, fate: 'dead-letter', title: 'The request is not valid' },
  unauthenticated: { http: 401, grpc: 16, fate: 'dead-letter', title: 'Sign in first' },
  forbidden: { http: 403, grpc: 7, fate: 'dead-letter', title: 'Not allowed' },
  'not-found': { http: 404, grpc: 5, fate: 'dead-letter', title: 'Not found' },
  refused: { http: 409, grpc: 9, fate: 'answer', title: 'Refused by a rule' },
  conflict: { http: 409, grpc: 10, fate: 'retry', title: 'Changed by somebody else meanwhile' },
  exhausted: { http: 429, grpc: 8, fate: 'retry', title: 'Too many requests' },
  unavailable: { http: 503, grpc: 14, fate: 'retry', title: 'Not available at the moment' },
  internal: { http: 500, grpc: 13, fate: 'retry', title: 'Something went wrong here' },
} as const satisfies Record<string, { http: number; grpc: number; fate: Fate; title: string }>;

export type Code = keyof typeof CODES;

/** One wrong field: its path as the sender wrote it (`lines[0].quantity`) and what to do about it. */
export type FieldError = { readonly field: string; readonly message: string };

type Details = {
  readonly cause?: unknown;
  readonly retryAfterMs?: number;
  readonly fields?: readonly FieldError[];
  readonly allow?: readonly string[];
};

export class AppError extends Error {
  readonly code: Code;
  /** Stable kebab-case name of this very failure; branch on it, never on the message. */
  readonly slug: string;
  readonly retryAfterMs: number | undefined;
  readonly fields: readonly FieldError[];
  /** HTTP methods that the path takes, where another one was sent. */
  readonly allow: readonly string[];

  constructor(code: Code, slug: string, message: string, details: Details = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.name = 'AppError';
    this.code = code;
    this.slug = slug;
    this.retryAfterMs = details.retryAfterMs;
    this.fields = details.fields ?? [];
    this.allow = details.allow ?? [];
  }
}

export const invalid = (slug: string, message: string, fields: readonly FieldError[] = []): AppError =>
  new AppError('invalid', slug, message, { fields });

/** `allow` are the methods that the path takes. */
export const methodNotAllowed = (allow: readonly string[], message: string): AppError =>
  new AppError('invalid', 'method-not-allowed', message, { allow });

/** The same id of a command with another content: it would be ambiguous which one is meant. */
export const keyReused = (): AppError =>
  invalid('idempotency-key-reused', 'This key was used before for another request; take a new key');

/** A business rule says no: an answer to the sender, not a failure of the system. */
export const refused = (slug: string, message: string, fields: readonly FieldError[] = []): AppError =>
  new AppError('refused', slug, message, { fields });

export const notFound = (slug: string, message: string): AppError => new AppError('not-found', slug, message);

export const unavailable = (slug: string, message: string, cause?: unknown): AppError =>
  new AppError('unavailable', slug, message, { cause });

/** Any throwable as an AppError: what is not one already becomes `internal` with its cause kept. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AppError('internal', 'internal', message || 'unknown error', { cause: thrown });
}
