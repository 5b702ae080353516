import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { openLog } from '../../functions/runtime/log.ts';
import { outbound } from '../../functions/runtime/outbound.ts';

const log = openLog('test', 'silent');
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server at /api/ of an address, and how often it was called. */
async function serve(listener: RequestListener) {
  const called: string[] = [];
  const server = createServer((request, response) => {
    called.push(`${request.method} ${request.url}`);
    listener(request, response);
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return { called, base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api` };
}

const options = { name: 'gateway', timeoutMs: 2_000 };

test('a call goes below the address that the operator has set, and its answer is read as JSON', async () => {
  const { called, base } = await serve((_, response) => response.writeHead(201, { 'x-id': '7' }).end('{"a":"ü"}'));
  const { request: call } = outbound({ log }, { ...options, base });
  const answer = await call('/things?x=1', { method: 'POST', body: '{}' });
  expect(answer).toMatchObject({ status: 201, headers: { 'x-id': '7' }, text: '{"a":"ü"}' });
  expect(answer.json()).toEqual({ a: 'ü' });
  expect(called).toEqual(['POST /api/things?x=1']);
});

test.each(['../admin', '//127.0.0.2/api/', 'http://127.0.0.1:1/api/', 'https://example.com/'])(
  'a path that leads elsewhere is refused: %s',
  async (path) => {
    const { called, base } = await serve((_, response) => response.end());
    await expect(outbound({ log }, { ...options, base }).request(path)).rejects.toMatchObject({
      code: 'invalid',
      slug: 'gateway-forbidden',
    });
    expect(called).toEqual([]);
  },
);

test.each([
  ['http://127.0.0.1:9/', {}, 'must begin with https://'],
  ['https://127.0.0.1/', {}, 'must be on a public address'],
  ['https://169.254.169.254/', {}, 'must be on a public address'],
  ['https://localhost:8443/', { ports: [8443] }, 'must be on a public address'],
  ['https://gateway.example:9/', {}, 'must be on port 443'],
])('without a reason to go there %s is refused', async (url, allowed, why) => {
  const called = outbound({ log }, { ...options, ...allowed }).request(url);
  await expect(called).rejects.toMatchObject({ slug: 'gateway-forbidden', message: expect.stringContaining(why) });
});

test('a host that is declared may be at any address, on its ports, and loopback where it is allowed for trying out', async () => {
  const { called, base } = await serve((_, response) => response.end());
  const ports = [Number(new URL(base).port)];
  await outbound({ log }, { ...options, hosts: [{ host: '127.0.0.1', ports }], http: true }).request(base);
  await outbound({ log }, { ...options, loopback: true }).request(base);
  expect(called).toHaveLength(2);
});

test.each([
  [404, 'invalid', 'gateway-refused'],
  [422, 'invalid', 'gateway-refused'],
  [302, 'invalid', 'gateway-refused'],
  [408, 'unavailable', 'gateway-unavailable'],
  [500, 'unavailable', 'gateway-unavailable'],
])('an answer %s is %s, and a POST is sent once', async (status, code, slug) => {
  const { called, base } = await serve((_, response) => response.writeHead(status, { location: '/' }).end());
  const called404 = outbound({ log }, { ...options, base }).request('x', { method: 'POST', body: '{}' });
  const said = `'gateway' at ${new URL(base).host} answered ${status}`;
  await expect(called404).rejects.toMatchObject({ code, slug, message: expect.stringContaining(said) });
  expect(called).toHaveLength(1);
});

test('a GET is tried again, and an answer that asks to wait is waited for by whoever calls', async () => {
  let calls = 0;
  const { base } = await serve((_, response) => response.writeHead(++calls < 3 ? 503 : 200).end('{}'));
  expect((await outbound({ log }, { ...options, base }).request('x')).status).toBe(200);
  expect(calls).toBe(3);
  const busy = await serve((_, response) => response.writeHead(429, { 'retry-after': '60' }).end());
  const asked = outbound({ log }, { ...options, base: busy.base }).request('x');
  await expect(asked).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 60_000 });
  expect(busy.called).toHaveLength(1);
});

test('an answer that is too long, or none of JSON, or none at all is as if nobody had answered', async () => {
  const unavailable = { code: 'unavailable', slug: 'gateway-unavailable' };
  const { base } = await serve(({ url }, response) => {
    if (url === '/api/silent') return response.socket?.destroy();
    return response.end('x'.repeat(url === '/api/long' ? 100_001 : 10));
  });
  const { request: call } = outbound({ log }, { ...options, base, mostBytes: 100_000, retries: 0 });
  await expect(call('long')).rejects.toMatchObject(unavailable);
  await expect(call('silent')).rejects.toMatchObject(unavailable);
  const html = await call('short');
  expect(() => html.json()).toThrow(expect.objectContaining(unavailable));
});

test('who does not answer is given up in time, and after five failures is left alone for a while', async () => {
  const { called, base } = await serve(() => undefined);
  const { request: call } = outbound(
    { log },
    { ...options, base, timeoutMs: 100, retries: 0, halfOpenAfterMs: 60_000 },
  );
  for (let time = 0; time < 5; time += 1)
    await expect(call('x')).rejects.toMatchObject({ message: expect.stringContaining('within 100 ms') });
  await expect(call('x')).rejects.toMatchObject({ slug: 'gateway-unavailable', retryAfterMs: expect.any(Number) });
  expect(called).toHaveLength(5);
});
