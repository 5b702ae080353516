import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Link, openLink } from '../../scripts/shop/chaos/link.ts';
import { until } from '../support/until.ts';

let echo: Server;
let link: Link;
let heard = '';

beforeEach(async () => {
  heard = '';
  echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  link = await openLink((echo.address() as AddressInfo).port);
});

afterEach(async () => {
  await link.close();
  echo.close();
});

async function dial(): Promise<Socket> {
  const socket = connect(link.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    heard += chunk;
  });
  await once(socket, 'connect');
  return socket;
}

test('an open link passes everything, both ways', async () => {
  (await dial()).write('hello');
  await until('the echo', () => heard === 'hello');
});

test('a link that is cut resets its connections and takes no new ones, until it is open again', async () => {
  const socket = await dial();
  link.become('cut');
  expect(await once(socket, 'error')).toMatchObject([{ code: 'ECONNRESET' }]);
  expect(await once(connect(link.port, '127.0.0.1'), 'error')).toMatchObject([{ code: 'ECONNRESET' }]);
  link.become('open');
  (await dial()).write('again');
  await until('the echo', () => heard === 'again');
});

test('a link that swallows keeps its connections, and passes what was sent when it is open again', async () => {
  const socket = await dial();
  link.become('swallow');
  socket.write('first');
  (await dial()).write(' second');
  const direct = connect((echo.address() as AddressInfo).port, '127.0.0.1');
  for (let round = 0; round < 50; round += 1) {
    direct.write('x');
    await once(direct, 'data');
  }
  direct.destroy();
  expect(heard).toBe('');
  link.become('open');
  await until('both echoes', () => heard.includes('first') && heard.includes('second'));
});
