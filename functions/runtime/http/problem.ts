/** HTTP answers: JSON or text, and errors as problem+json (RFC 9457) with `code`, `slug` and `traceId`. */
import type { ServerResponse } from 'node:http';
import { type AppError, CODES } from '../errors.ts';

type Headers = Readonly<Record<string, string>>;

/** Without text the answer has no content, as 304 must not have any. */
export function sendText(
  response: ServerResponse,
  status: number,
  text: string | undefined,
  headers: Headers = {},
): void {
  if (response.headersSent) return;
  const size = text === undefined ? {} : { 'content-length': Buffer.byteLength(text) };
  response.writeHead(status, { ...size, ...headers });
  response.end(text);
}

export const sendJson = (response: ServerResponse, status: number, body: unknown, headers: Headers = {}): void =>
  sendText(response, status, JSON.stringify(body), { 'content-type': 'application/json', ...headers });

/** Slugs of `invalid` whose request was well formed but cannot be processed. */
const UNPROCESSABLE = new Set(['idempotency-key-reused']);

const STATUS_OF_SLUG: Readonly<Record<string, number>> = {
  'body-too-large': 413,
  'too-many-events': 413,
  'not-json-content': 415,
  'unsupported-encoding': 415,
  'method-not-allowed': 405,
  'request-timeout': 408,
  'version-mismatch': 412,
  'version-not-reached': 412,
};

/** Slugs that are about the access token which was sent (RFC 6750, 3.1). */
const BAD_TOKEN = new Set(['invalid-token', 'token-expired', 'session-ended']);

export const httpStatus = (error: AppError): number =>
  UNPROCESSABLE.has(error.slug) ? 422 : (STATUS_OF_SLUG[error.slug] ?? CODES[error.code].http);

export function problem(error: AppError, traceId: string): { status: number; headers: Headers; body: object } {
  const status = httpStatus(error);
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  if (error.code === 'unauthenticated')
    headers['www-authenticate'] = BAD_TOKEN.has(error.slug) ? 'Bearer error="invalid_token"' : 'Bearer';
  if (error.code === 'unavailable' || error.code === 'exhausted')
    headers['retry-after'] = String(Math.ceil((error.retryAfterMs ?? 1_000) / 1_000));
  if (error.allow.length > 0) headers.allow = error.allow.join(', ');
  const body = {
    type: `urn:millrace:problem:${error.slug}`,
    title: CODES[error.code].title,
    status,
    // What went wrong inside is for the log; the trace id leads there.
    detail: error.code === 'internal' ? 'An error that is ours; it was logged under the trace id.' : error.message,
    code: error.code,
    slug: error.slug,
    traceId,
    ...(error.fields.length > 0 ? { errors: error.fields } : {}),
  };
  return { status, headers, body };
}

export function sendProblem(response: ServerResponse, error: AppError, traceId: string): void {
  const { status, headers, body } = problem(error, traceId);
  sendJson(response, status, body, headers);
}
