import { Metadata } from '@grpc/grpc-js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Any } from '../../gen/google/protobuf/any.ts';
import { BadRequest, ErrorInfo, RetryInfo } from '../../gen/google/rpc/error_details.ts';
import { Status } from '../../gen/google/rpc/status.ts';
import { AppError, CODES, type Code } from '../errors.ts';
import { DETAILS_TRAILER, fromStatus, toStatus } from './status.ts';

/** What a caller makes of a status with this trailer. */
function received(code: number, details: string, trailer: Uint8Array): AppError {
  const metadata = new Metadata();
  metadata.set(DETAILS_TRAILER, Buffer.from(trailer));
  return fromStatus('depot', { code, details, metadata });
}

/** What a caller makes of an error that a service threw. */
function afterTheWire(error: AppError): AppError {
  const { code, details, trailer } = toStatus(error);
  return received(code, details, trailer);
}

const packed = (name: string, bytes: Uint8Array): Any => ({
  typeUrl: `type.googleapis.com/google.rpc.${name}`,
  value: Buffer.from(bytes),
});
const statusOf = (...details: Any[]): Uint8Array => Status.encode({ code: 3, message: '', details }).finish();
const info = (reason: string, domain = 'millrace'): Any =>
  packed('ErrorInfo', ErrorInfo.encode({ reason, domain }).finish());

const codes = (Object.keys(CODES) as Code[]).filter((code) => code !== 'internal');

test.each(codes)('%s arrives with its slug, message, fields and time to wait', (code) => {
  const fields = [{ field: 'lines[0].größe', message: 'ist "zu groß" 🐘\n' }];
  const sent = new AppError(code, 'some-slug-2', 'Größe is wrong', { fields, retryAfterMs: 1_500 });
  expect(afterTheWire(sent)).toMatchObject({
    code,
    slug: 'some-slug-2',
    message: 'Größe is wrong',
    fields,
    retryAfterMs: 1_500,
  });
});

test('any gRPC client can read what is wrong', () => {
  const fields = [{ field: 'email', message: 'is missing' }];
  const { code, trailer } = toStatus(
    new AppError('invalid', 'invalid-user', 'No user', { fields, retryAfterMs: 1_500 }),
  );
  const status = Status.decode(trailer);
  expect(status).toMatchObject({ code, message: 'No user' });
  const find = (name: string) => status.details.find(({ typeUrl }) => typeUrl === `type.googleapis.com/${name}`);
  const bytesOf = (name: string): Uint8Array => find(name)?.value ?? Buffer.from('none');
  expect(ErrorInfo.decode(bytesOf('google.rpc.ErrorInfo'))).toEqual({ reason: 'INVALID_USER', domain: 'millrace' });
  expect(BadRequest.decode(bytesOf('google.rpc.BadRequest'))).toEqual({
    fieldViolations: [{ field: 'email', description: 'is missing' }],
  });
  expect(RetryInfo.decode(bytesOf('google.rpc.RetryInfo'))).toEqual({
    retryDelay: { seconds: 1, nanos: 500_000_000 },
  });
});

test('what an internal error says stays in the service', () => {
  const fields = [{ field: 'secret', message: 'secret' }];
  const sent = new AppError('internal', 'secret', 'secret', { cause: new Error('secret'), fields });
  const { details, trailer } = toStatus(sent);
  expect(`${details}${trailer}`.toLowerCase()).not.toContain('secret');
  expect(trailer.toString()).toContain('INTERNAL');
  expect(afterTheWire(sent)).toMatchObject({ code: 'internal', slug: 'depot-internal', fields: [] });
});

test.each([
  [1, 'unavailable'],
  [2, 'internal'],
  [4, 'unavailable'],
  [12, 'internal'],
  [14, 'unavailable'],
])('status %i of gRPC itself, without details, is %s', (status, code) => {
  const error = fromStatus('depot', { code: status, details: 'a socket hung up', metadata: new Metadata() });
  expect(error).toMatchObject({ code, slug: `depot-${code}` });
  expect(error.message).not.toContain('socket');
});

test('a malformed detail costs itself and not the error', () => {
  const broken = Uint8Array.of(10, 255, 255, 255, 15);
  const details = [info('SOME_SLUG'), packed('BadRequest', broken), packed('RetryInfo', broken), packed('New', broken)];
  const error = received(3, 'wrong', statusOf(...details));
  expect(error).toMatchObject({ code: 'invalid', slug: 'some-slug', message: 'wrong', fields: [] });
  expect(error.retryAfterMs).toBeUndefined();
});

test.each([
  ['of another domain', info('OUT_OF_STOCK', 'example.com')],
  ['in lower case', info('nasty\nslug')],
  ['that is empty', info('')],
])('a reason %s is no slug', (_what, detail) => {
  expect(received(9, 'no', statusOf(detail))).toMatchObject({ code: 'refused', slug: 'depot-refused' });
});

test.each([-1, 1e12])('a wait of %d seconds is none', (seconds) => {
  const delay = packed('RetryInfo', RetryInfo.encode({ retryDelay: { seconds, nanos: 0 } }).finish());
  expect(received(14, 'later', statusOf(info('LATER'), delay)).retryAfterMs).toBeUndefined();
});

test('whatever bytes come as details, there is an error with the code of the status', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(received(5, 'not there', bytes)).toMatchObject({ code: 'not-found' });
      expect(received(5, 'not there', statusOf(packed('BadRequest', bytes)))).toMatchObject({
        fields: expect.any(Array),
      });
    }),
  );
});

test('however much is wrong, the trailers fit into 8 KiB, and the first fields arrive', () => {
  const fields = Array.from({ length: 500 }, (_, index) => ({ field: `${index}.${'漢'.repeat(400)}`, message: '字' }));
  const sent = new AppError('invalid', 'some-slug', '語'.repeat(10_000), { fields });
  const { details, trailer } = toStatus(sent);
  expect(encodeURI(details).length + trailer.toString('base64').length).toBeLessThan(8 * 1024 - 400);
  expect(afterTheWire(sent).slug).toBe('some-slug');
  const brief = afterTheWire(new AppError('invalid', 'some-slug', 'Wrong', { fields }));
  expect(brief.fields[0]?.field.startsWith('0.漢')).toBe(true);
  expect(brief.fields.length).toBeGreaterThan(5);
});

test('a message with half a character can be sent', () => {
  expect(() => encodeURI(toStatus(new AppError('invalid', 'slug', 'half \ud83d')).details)).not.toThrow();
});
