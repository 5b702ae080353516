import { expect, test } from 'vitest';
import { AppError, type Code, toAppError } from './errors.ts';
import { backoffMs, fateOf, waitMs } from './handling/failure.ts';
import { httpStatus, problem } from './http/problem.ts';

const error = (code: Code, slug = 'some-slug') => new AppError(code, slug, 'why');

test.each<[Code, number, string]>([
  ['invalid', 400, 'dead-letter'],
  ['unauthenticated', 401, 'dead-letter'],
  ['forbidden', 403, 'dead-letter'],
  ['not-found', 404, 'dead-letter'],
  ['refused', 409, 'answer'],
  ['conflict', 409, 'retry'],
  ['exhausted', 429, 'retry'],
  ['unavailable', 503, 'retry'],
  ['internal', 500, 'retry'],
])('%s is HTTP %d, and as a message: %s', (code, status, fate) => {
  expect(httpStatus(error(code))).toBe(status);
  expect(fateOf(error(code), 1)).toBe(fate);
});

test('an internal error becomes a dead letter at the sixth attempt, an unavailable one never', () => {
  expect(fateOf(error('internal'), 5)).toBe('retry');
  expect(fateOf(error('internal'), 6)).toBe('dead-letter');
  expect(fateOf(error('unavailable'), 1_000)).toBe('retry');
});

test('a reused idempotency key is 422', () => {
  expect(httpStatus(error('invalid', 'idempotency-key-reused'))).toBe(422);
});

test('a problem tells code, slug, fields and trace, and when to come again', () => {
  const again = new AppError('unavailable', 'users-unavailable', 'Later', {
    retryAfterMs: 2_500,
    fields: [{ field: 'a', message: 'b' }],
  });
  expect(problem(again, 't1')).toMatchObject({
    status: 503,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '3' },
    body: { code: 'unavailable', slug: 'users-unavailable', detail: 'Later', traceId: 't1', errors: [{ field: 'a' }] },
  });
});

test('what went wrong inside is not told outside', () => {
  expect(JSON.stringify(problem(toAppError(new Error('password=hunter2')), 't1').body)).not.toContain('hunter2');
});

test('any throwable becomes an internal error that keeps its cause', () => {
  const cause = new TypeError('x is not a function');
  expect(toAppError(cause)).toMatchObject({ code: 'internal', message: 'x is not a function', cause });
  expect(toAppError('text')).toMatchObject({ code: 'internal', message: 'text' });
  const known = error('refused');
  expect(toAppError(known)).toBe(known);
});

test('the backoff grows with the attempt, up to five minutes', () => {
  expect(backoffMs(1, 1)).toBe(400);
  expect(backoffMs(3, 1)).toBe(1_600);
  expect(backoffMs(50, 1)).toBe(300_000);
  expect(backoffMs(3, 0)).toBe(0);
});

test('a time that the error names is waited for, and up to a fifth or a second more', () => {
  expect(waitMs({ retryAfterMs: 1_000 }, 1, 0)).toBe(1_000);
  expect(waitMs({ retryAfterMs: 1_000 }, 1, 1)).toBe(1_200);
  expect(waitMs({ retryAfterMs: 3_600_000 }, 9, 1)).toBe(3_601_000);
  expect(waitMs({ retryAfterMs: undefined }, 3, 1)).toBe(1_600);
});

test('a breaker that asks for two seconds each time does not keep a function awake: the backoff still grows', () => {
  const waits = [1, 5, 9, 12].map((attempt) => waitMs({ retryAfterMs: 2_000 }, attempt, 0.5));
  expect(waits).toEqual([2_200, 3_200, 51_200, 150_000]);
});
