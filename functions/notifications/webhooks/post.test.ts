import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { openPost } from './post.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
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
  expect(await posted('http://secret-host.invalid/?key=1')).toEqual({ reason: 'the host is not known' });
  expect(await posted('http://10.0.0.1/')).toEqual({ reason: 'the URL is not allowed' });
  const strict = openPost({ loopback: false });
  expect(await strict('https://localhost.localdomain/', {}, '')).not.toHaveProperty('status');
});
