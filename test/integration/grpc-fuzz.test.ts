/** Whatever is sent to user-service, it answers as its contract says, and goes on. */
import { connect } from 'node:http2';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Metadata } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { HealthService } from '../../functions/gen/grpc/health/v1/health.ts';
import { UserServiceService } from '../../functions/gen/millrace/users/v1/users.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { openRawClient } from '../support/grpc-service.ts';
import { startUserService, type UserServiceFixture } from '../support/user-service-fixture.ts';

let backends: Backends;
let service: UserServiceFixture;
let client: ReturnType<typeof openRawClient>;

beforeAll(async () => {
  backends = await startBackends();
  service = await startUserService(backends);
  client = openRawClient(service.address);
});

afterAll(async () => {
  client?.close();
  await service?.stop();
  await backends?.stop();
});

afterEach(async () => {
  expect((await fetch(`${service.process.url}/readyz`)).status).toBe(200);
  expect(service.process.lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
});

const paths = Object.values(UserServiceService).map(({ path }) => path);
/** OK, and every status that tells the caller what to do: never UNKNOWN, INTERNAL, UNAVAILABLE, or no answer at all. */
const ANSWERS = [0, 3, 5, 7, 8, 9, 16];
const UNIMPLEMENTED = 12;

const call = async (path: string, bytes: Uint8Array, metadata = new Metadata()): Promise<number> =>
  (await client.call(path, bytes, { metadata, deadline: Date.now() + 10_000 })).code;

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('ada@example.com', 'correct horse battery', "' or true --", '\0', 'ı@example.com', '../..'),
  fc.constant('😀'.repeat(2_000)),
  fc.uuid(),
);
const number = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer());
/** Bytes that are a protobuf message, though hardly one that was meant. */
const message = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 7 }), fc.oneof(text, number)), { maxLength: 6 })
  .map((fields) => {
    const writer = new BinaryWriter();
    for (const [tag, value] of fields)
      if (typeof value === 'string') writer.uint32((tag << 3) | 2).string(value);
      else writer.uint32(tag << 3).int32(value);
    return writer.finish();
  });
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  message,
  fc.constant(Uint8Array.of(10, 255, 255, 255, 255, 15)),
);

test.each(paths)('%s answers whatever bytes come', async (path) => {
  const property = fc.asyncProperty(bytes, async (sent) => {
    expect(ANSWERS).toContain(await call(path, sent));
  });
  await fc.assert(property, { numRuns: 60 });
});

test('an unknown path is unimplemented', async () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9._~%-]{1,30}$/);
  const known = new Set<string>([...paths, ...Object.values(HealthService).map(({ path }) => path)]);
  const unknown = fc
    .oneof(
      fc.tuple(segment, segment).map(([name, method]) => `/${name}/${method}`),
      fc.constantFrom(...paths).map((path) => path.toLowerCase()),
      segment.map((method) => `/millrace.users.v1.UserService/${method}`),
      fc.constantFrom('/', '//', '/constructor', '/__proto__', HealthService.watch.path),
    )
    .filter((path) => !known.has(path) || path === HealthService.watch.path);
  const property = fc.asyncProperty(unknown, bytes, async (path, sent) => {
    expect(await call(path, sent)).toBe(UNIMPLEMENTED);
  });
  await fc.assert(property, { numRuns: 100 });
});

const printable = fc.stringMatching(/^[ -~]{0,200}$/);
const metadata = fc
  .record(
    {
      traceparent: fc.oneof(printable, fc.constant('00-00000000000000000000000000000000-0000000000000000-00')),
      authorization: fc.oneof(
        printable,
        printable.map((token) => `Bearer ${token}`),
        fc.constantFrom('Bearer', 'bearer a.b.c', 'Basic YTpi', `Bearer ${'x'.repeat(7_000)}`),
        fc.json().map((json) => `Bearer e30.${Buffer.from(json).toString('base64url')}.AAAA`),
      ),
      'millrace-function': printable,
      'millrace-client-address': fc.oneof(printable, fc.constantFrom('::1', '999.1.1.1', '127.0.0.1, 10.0.0.1')),
      'x-huge': fc.integer({ min: 0, max: 12_000 }).map((length) => 'x'.repeat(length)),
      __proto__: printable,
      'x-some-bin': fc.uint8Array({ maxLength: 9_000 }),
      'authorization-bin': fc.uint8Array({ maxLength: 20 }),
    },
    { requiredKeys: [] },
  )
  .map((entries) => {
    const sent = new Metadata();
    for (const [key, value] of Object.entries(entries))
      sent.set(key, typeof value === 'string' ? value : Buffer.from(value));
    return sent;
  });

test('whatever metadata comes, there is an answer', async () => {
  const property = fc.asyncProperty(fc.constantFrom(...paths), message, metadata, async (path, sent, around) => {
    expect(ANSWERS).toContain(await call(path, sent, around));
  });
  await fc.assert(property, { numRuns: 300 });
});

test('what is no gRPC at all costs its own connection at most', async () => {
  const header = fc.record(
    {
      'content-type': fc.constantFrom('application/grpc', 'application/grpc+json', 'application/json', ''),
      'grpc-timeout': fc.constantFrom('1S', '0m', '99999999H', '-1S', 'S', '1.5S', '999999999S'),
      'grpc-encoding': fc.constantFrom('identity', 'gzip', 'deflate', 'br', 'x'),
      'x-not-base64-bin': fc.constantFrom('!!!', 'AA', '===='),
      ':method': fc.constantFrom('POST', 'GET', 'PUT'),
    },
    { requiredKeys: [] },
  );
  const body = fc.oneof(
    bytes,
    // A frame: whether it is compressed, and its length, which need not be true.
    fc
      .tuple(fc.integer({ min: 0, max: 255 }), fc.nat(2 ** 32 - 1), bytes)
      .map(([flag, length, rest]) => Buffer.concat([Buffer.from([flag]), uint32(length), rest])),
    fc
      .tuple(fc.constantFrom(0, 1), bytes)
      .map(([flag, rest]) => Buffer.concat([Buffer.from([flag]), uint32(rest.length), rest])),
  );
  const property = fc.asyncProperty(fc.constantFrom(...paths), header, body, async (path, headers, sent) => {
    const session = connect(`http://${service.address}`);
    session.on('error', () => undefined);
    const stream = session.request({ ':method': 'POST', ':path': path, te: 'trailers', ...headers });
    const ended = new Promise<void>((resolve) =>
      stream.once('close', resolve).on('error', resolve).setTimeout(2_000, resolve),
    );
    stream.resume().end(Buffer.from(sent));
    await ended;
    session.destroy();
  });
  await fc.assert(property, { numRuns: 150 });
});

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}
