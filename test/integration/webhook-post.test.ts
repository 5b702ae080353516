import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test, vi } from 'vitest';
import { openPost } from '../../functions/notifications/webhooks/post.ts';
import { openDns } from '../../functions/runtime/http/dns.ts';
import { guardedLookup } from '../../functions/runtime/http/public-address.ts';
import { newAuthority } from '../support/certificates.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterAll(() => {
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
});

async function listening(server: Server): Promise<number> {
  servers.push(server.on('connection', (socket) => sockets.add(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function serve(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listening(createServer(listener))}/`;
}

const post = openPost({ loopback: true });
const posted = (url: string) => post(url, { 'content-type': 'application/json' }, '{"a":"ü"}');

test('an answer is its status; the body is sent whole', async () => {
  let got = '';
  const url = await serve(async (request, response) => {
    for await (const chunk of request) got += chunk;
    response.writeHead(503, { 'retry-after': '7' }).end('later');
  });
  expect(await posted(url)).toEqual({ status: 503, reason: 'answered 503', retryAfter: '7' });
  expect(got).toBe('{"a":"ü"}');
});

test('a redirect is an answer, and is not followed', async () => {
  let followed = 0;
  const target = await serve((_, response) => {
    followed += 1;
    response.end();
  });
  const url = await serve((_, response) => response.writeHead(307, { location: target }).end());
  expect(await posted(url)).toMatchObject({ status: 307, reason: 'answered 307: redirects are not followed' });
  expect(followed).toBe(0);
});

test('of an answer without an end no more is read than a little', async () => {
  let [ended, chunks] = [false, 0];
  const url = await serve((_, response) => {
    response.writeHead(200);
    const write = (): void => {
      chunks += 1;
      if (!ended) response.write('x'.repeat(65_536), write);
    };
    response.once('close', () => {
      ended = true;
    });
    write();
  });
  expect(await posted(url)).toMatchObject({ status: 200 });
  expect(chunks, 'what the buffers between them hold').toBeLessThan(500);
});

test('who hangs up, or is not there, or is not allowed has not answered, and the reason does not name the URL', async () => {
  const url = await serve((request) => request.socket.destroy());
  expect(await posted(url)).toEqual({ reason: 'connection reset' });
  expect(await posted('http://127.0.0.1:1/')).toEqual({ reason: 'connection refused' });
  expect(await posted('http://10.0.0.1/')).toEqual({ reason: 'the URL is not allowed' });
});

/** Says `words` to whoever connects, and then one more each 20 ms, for ever. */
async function talker(words: string, more = ''): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined).write(words);
    const talk = setInterval(() => socket.write(more), 20);
    socket.once('close', () => clearInterval(talk));
  });
  return `http://127.0.0.1:${await listening(server)}/`;
}

test.each([
  ['says nothing', '', '', { reason: 'no answer within 0.3 s' }],
  ['never ends its headers', 'HTTP/1.1 200 OK\r\n', 'a: b\r\n', { reason: 'no answer within 0.3 s' }],
  ['sends 100s without end', '', 'HTTP/1.1 100 Continue\r\n\r\n', { reason: 'no answer within 0.3 s' }],
  ['has huge headers', `HTTP/1.1 200 OK\r\na: ${'b'.repeat(100_000)}`, '', { reason: 'not sent: HPE_HEADER_OVERFLOW' }],
  ['speaks something else', '220 mail.example ESMTP\r\n', '', { reason: 'not sent: HPE_INVALID_CONSTANT' }],
  ['switches protocols', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', 'x', {}],
  ['dribbles its body', 'HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n', 'x', { status: 200 }],
])(
  'who %s does not hold an attempt for longer than it may take',
  { timeout: 2_500 },
  async (_, words, more, expected) => {
    const post = openPost({ loopback: true }, { timeoutMs: 300 });
    const answer = await post(await talker(words, more), {}, 'body');
    expect(answer).toMatchObject(expected);
    if (!('status' in expected)) expect(answer.status).toBeUndefined();
  },
);

test('an answer counts that comes before the body was read, or is cut off, or says that it is compressed', async () => {
  const early = await serve((_, response) => response.writeHead(202).end());
  expect(await post(early, {}, 'x'.repeat(1_000_000))).toMatchObject({ status: 202 });
  const cut = await serve((request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half', () => request.socket.destroy());
  });
  expect(await posted(cut)).toMatchObject({ status: 200 });
  const bomb = gzipSync(Buffer.alloc(1_000_000));
  const packed = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
  expect(await posted(packed)).toMatchObject({ status: 200 });
});

test('a certificate that nobody vouches for is refused, whatever the environment says', async () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  vi.spyOn(process, 'emitWarning').mockReturnValue();
  const { key, cert } = newAuthority().issue('localhost');
  const got: unknown[] = [];
  const port = await listening(
    createTlsServer({ key, cert }, (request, response) => {
      got.push(request.url);
      response.end();
    }),
  );
  expect((await posted(`https://127.0.0.1:${port}/`)).reason).toMatch(/^not sent: [A-Z_]*(CERT|SIGNATURE)[A-Z_]*$/);
  expect(got).toEqual([]);
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('no proxy of the environment is used', async () => {
  const url = await serve((_, response) => response.writeHead(204).end());
  const script = `import { openPost } from '${new URL('../../functions/notifications/webhooks/post.ts', import.meta.url)}';
    process.stdout.write((await openPost({ loopback: true })('${url}', {}, '')).reason);`;
  const nowhere = 'http://127.0.0.1:1';
  const env = { ...process.env, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: nowhere, http_proxy: nowhere, NO_PROXY: '' };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
  expect(stdout).toBe('answered 204');
});

const SECRET_HOST = 'http://secret-host.example/?key=1';
/** Answers each question with this code (RFC 1035), or not at all. */
async function dnsThat(code?: number, timeout = 100) {
  const server = createSocket('udp4', (question, { port }) => {
    if (code === undefined) return;
    const answer = Buffer.from(question);
    answer.writeUInt16BE(0x8180 | code, 2);
    server.send(answer, port, '127.0.0.1');
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const resolver = new Resolver({ timeout, tries: 1 });
  resolver.setServers([`127.0.0.1:${server.address().port}`]);
  const lookup = guardedLookup({ loopback: true }, openDns(resolver));
  const close = (): void => {
    resolver.cancel();
    server.close();
  };
  return { post: openPost({ loopback: true }, { lookup }), close };
}

test.each([
  ['does not know the host', 3, 'the host is not known'],
  ['knows no address of it', 0, 'the host is not known'],
  ['fails', 2, 'DNS does not answer'],
  ['is silent', undefined, 'DNS does not answer'],
])('DNS that %s is told, without the name', async (_, code, reason) => {
  const { post, close } = await dnsThat(code);
  expect(await post(SECRET_HOST, {}, '')).toEqual({ reason });
  close();
});

test('names whose DNS is silent do not hold up others, however many they are', async () => {
  const { post, close } = await dnsThat(undefined, 9_000);
  const silent = Array.from({ length: 50 }, () => post(SECRET_HOST, {}, ''));
  const url = (await serve((_, response) => response.writeHead(204).end())).replace('127.0.0.1', 'localhost');
  const first = await Promise.race([post(url, {}, ''), ...silent]);
  expect(first).toMatchObject({ status: 204 });
  close();
  await Promise.all(silent);
});
