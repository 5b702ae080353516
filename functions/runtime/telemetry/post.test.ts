import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { post } from './post.ts';

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

async function urlOf(server: TcpServer, host = '127.0.0.1'): Promise<URL> {
  opened.push(() => server.close());
  server.on('connection', (socket: Socket) => opened.push(() => socket.destroy()));
  await once(server.listen(0, host), 'listening');
  const { port } = server.address() as AddressInfo;
  return new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}/v1/traces?a=b`);
}
const serving = (listener: RequestListener, host?: string): Promise<URL> => urlOf(createServer(listener), host);
const answering = (answer: (socket: Socket) => void): Promise<URL> =>
  urlOf(createTcpServer((socket) => void socket.once('error', () => undefined).once('data', () => answer(socket))));

test.each(['127.0.0.1', '::1'])('a body reaches a collector at %s as JSON', async (host) => {
  const seen: object[] = [];
  const url = await serving(({ method, url: path, headers }, response) => {
    seen.push({ method, path, type: headers['content-type'], host: headers.host });
    response.end();
  }, host);
  await post(url, '{"grüße":1}');
  expect(seen).toEqual([{ method: 'POST', path: '/v1/traces?a=b', type: 'application/json', host: url.host }]);
});

test('all of a long body in UTF-8 is sent', async () => {
  const body = JSON.stringify('grüße '.repeat(100_000));
  let length = 0;
  const url = await serving(async (request, response) => {
    length = (await text(request)).length;
    response.end();
  });
  await post(url, body);
  expect(length).toBe(body.length);
});

test('an answer that is no success is an error', async () => {
  const url = await serving((_, response) => response.writeHead(503).end());
  await expect(post(url, '{}')).rejects.toThrow('it answered 503');
});

test('an address with a password is asked with it', async () => {
  const url = await serving(({ headers }, response) => {
    response.writeHead(headers.authorization === 'Basic YTpi' ? 200 : 401).end();
  });
  url.username = 'a';
  url.password = 'b';
  await expect(post(url, '{}')).resolves.toBeUndefined();
});

test.each([
  ['is closed without an answer', 'closed before an answer', (socket: Socket): void => void socket.end()],
  ['answers something else', 'it answered NaN', (socket: Socket): void => void socket.end('SSH-2.0-OpenSSH_9.9 hello')],
  ['says nothing', 'no answer in', () => undefined],
] as const)('a connection that %s is an error', async (_, message, answer) => {
  await expect(post(await answering(answer), '{}')).rejects.toThrow(message);
});

test('nobody there is an error', async () => {
  const url = await answering(() => undefined);
  for (const close of opened.splice(0)) close();
  await expect(post(url, '{}')).rejects.toThrow('ECONNREFUSED');
});
