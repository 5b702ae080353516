import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AppError, type Code, methodNotAllowed } from '../errors.ts';
import { DETAILS_TRAILER, fromStatus, toStatus } from '../grpc/status.ts';
import { sendProblem } from './problem.ts';

let server: Server;
let next: AppError;

beforeAll(async () => {
  server = createServer((_, response) => sendProblem(response, next, 'trace-1')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});

afterAll(() => server?.close());

/** What an HTTP client gets when a call to the service 'depot' has failed so. */
async function answerTo(error: AppError): Promise<{ response: Response; body: Record<string, unknown> }> {
  next = error;
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { response, body: (await response.json()) as Record<string, unknown> };
}

/** An error of the service, as its client has it. */
function overTheWire(error: AppError): AppError {
  const { code, details, trailer } = toStatus(error);
  const metadata = new Metadata();
  metadata.set(DETAILS_TRAILER, trailer);
  return fromStatus('depot', { code, details, metadata });
}

test.each<[Code, number]>([
  ['invalid', 400],
  ['unauthenticated', 401],
  ['forbidden', 403],
  ['not-found', 404],
  ['refused', 409],
  ['conflict', 409],
  ['exhausted', 429],
  ['unavailable', 503],
])('%s of the service is HTTP %d, with its slug, message, fields and time to wait', async (code, expected) => {
  const fields = [{ field: 'email', message: 'is wrong' }];
  const { response, body } = await answerTo(
    overTheWire(new AppError(code, 'some-slug', 'Why', { fields, retryAfterMs: 2_500 })),
  );
  expect(response.status).toBe(expected);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('retry-after')).toBe(code === 'exhausted' || code === 'unavailable' ? '3' : null);
  expect(response.headers.get('www-authenticate')).toBe(code === 'unauthenticated' ? 'Bearer' : null);
  expect(body).toMatchObject({ status: expected, code, slug: 'some-slug', detail: 'Why', errors: fields });
});

test('internal of the service is HTTP 500, and tells nothing of it', async () => {
  const { response, body } = await answerTo(overTheWire(new AppError('internal', 'secret-slug', 'password=hunter2')));
  expect(response.status).toBe(500);
  expect(JSON.stringify(body)).not.toMatch(/hunter2|secret-slug/);
});

test.each<[keyof typeof status, number]>([
  ['CANCELLED', 503],
  ['UNKNOWN', 500],
  ['INVALID_ARGUMENT', 400],
  ['DEADLINE_EXCEEDED', 503],
  ['NOT_FOUND', 404],
  ['ALREADY_EXISTS', 500],
  ['PERMISSION_DENIED', 403],
  ['RESOURCE_EXHAUSTED', 429],
  ['FAILED_PRECONDITION', 409],
  ['ABORTED', 409],
  ['OUT_OF_RANGE', 500],
  ['UNIMPLEMENTED', 500],
  ['INTERNAL', 500],
  ['UNAVAILABLE', 503],
  ['DATA_LOSS', 500],
  ['UNAUTHENTICATED', 401],
])('a bare %s, of a proxy or of gRPC itself, is HTTP %d', async (name, expected) => {
  const error = fromStatus('depot', { code: status[name], details: 'a stranger says', metadata: new Metadata() });
  const { response, body } = await answerTo(error);
  expect(response.status).toBe(expected);
  expect(response.headers.has('retry-after')).toBe(expected === 503 || expected === 429);
  expect(JSON.stringify(body)).not.toContain('a stranger says');
});

test.each(['invalid-token', 'token-expired', 'session-ended'])(
  '%s says that it is the token (RFC 6750)',
  async (slug) => {
    const { response } = await answerTo(new AppError('unauthenticated', slug, 'No'));
    expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
  },
);

test('a method that a path does not take is answered with those that it takes (RFC 9110, 15.5.6)', async () => {
  const { response } = await answerTo(methodNotAllowed(['GET', 'HEAD'], 'No'));
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('GET, HEAD');
});
