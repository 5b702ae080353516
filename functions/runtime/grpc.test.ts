import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { AppError, CODES, type Code } from './errors.ts';
import { fromStatus, toStatus } from './grpc.ts';

/** What a caller makes of an error that a service threw. */
function afterTheWire(error: AppError): AppError {
  const { code, details, fields } = toStatus(error);
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return fromStatus('users', { code, details, metadata });
}

const codes = (Object.keys(CODES) as Code[]).filter((code) => code !== 'internal');

test.each(codes)('%s arrives with its slug, message, fields and time to wait', (code) => {
  const fields = [{ field: 'lines[0].größe', message: 'ist "zu groß" 🐘\n' }];
  const sent = new AppError(code, 'some-slug', 'Größe is wrong', { fields, retryAfterMs: 1_500 });
  expect(afterTheWire(sent)).toMatchObject({
    code,
    slug: 'some-slug',
    message: 'Größe is wrong',
    fields,
    retryAfterMs: 1_500,
  });
});

test('what an internal error says stays in the service', () => {
  const fields = [{ field: 'secret', message: 'secret' }];
  const sent = new AppError('internal', 'secret', 'secret', { cause: new Error('secret') });
  expect(JSON.stringify(toStatus(sent))).not.toContain('secret');
  expect(afterTheWire(sent)).toMatchObject({ code: 'internal', slug: 'users-internal' });
  expect(JSON.stringify(toStatus(new AppError('internal', 'secret', 'secret', { fields })))).not.toContain('secret');
});

test.each([
  [1, 'unavailable'],
  [2, 'internal'],
  [4, 'unavailable'],
  [12, 'internal'],
  [14, 'unavailable'],
])('status %i of gRPC itself, without a slug, is %s', (status, code) => {
  const error = fromStatus('users', { code: status, details: 'a socket hung up', metadata: new Metadata() });
  expect(error).toMatchObject({ code, slug: `users-${code}` });
  expect(error.message).not.toContain('socket');
});

test('metadata that is no JSON costs the fields and not the error', () => {
  const metadata = new Metadata();
  metadata.set('millrace-slug', 'some-slug');
  metadata.set('millrace-fields', '[{"field":');
  metadata.set('millrace-retry-after-ms', 'soon');
  const error = fromStatus('users', { code: 3, details: 'wrong', metadata });
  expect(error).toMatchObject({ code: 'invalid', slug: 'some-slug', fields: [], retryAfterMs: undefined });
});

test('a message with half a character can be sent', () => {
  expect(() => encodeURI(toStatus(new AppError('invalid', 'slug', 'half \ud83d')).details)).not.toThrow();
});
