import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError } from '../../../functions/runtime/errors.ts';
import { until } from '../../../test/support/until.ts';
import { openHistory } from './history.ts';
import { type Live, openLive } from './live.ts';
import type { FunctionNow } from './wire.ts';

const fn = (name: string, lag: number): FunctionNow => ({
  ...{ name, kind: 'command', replicas: 0, ready: 0, lag, pending: lag, rate: null, min: 0, max: 1 },
});

let functions: FunctionNow[];
let live: Live;
let refused: string[];
let port: number;
let close: () => void;

type Page = { said(): string; readonly ended: Promise<void> };

beforeEach(async () => {
  functions = [fn('a', 0), fn('b', 0)];
  refused = [];
  const counts = async () => ({ deadLetters: 2, mails: 1 });
  live = openLive({ history: openHistory(), functions: () => functions, counts });
  const server = createServer((_, response) => {
    try {
      live.listen(response);
    } catch (error) {
      refused.push(error instanceof AppError ? error.slug : String(error));
      response.writeHead(429).end();
    }
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  port = (server.address() as AddressInfo).port;
  close = () => void server.close();
});

afterEach(() => {
  live.close();
  close();
});

async function openPage(): Promise<Page> {
  const response = await new Promise<IncomingMessage>((resolve) =>
    get({ port, host: '127.0.0.1', agent: false }, resolve),
  );
  let said = '';
  response.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  return { said: () => said, ended: new Promise((resolve) => response.once('end', () => resolve())) };
}

test('a page is sent all at first, and then what changes', async () => {
  const page = await openPage();
  await until('all', () => page.said().includes('event: all'));
  expect(page.said()).toContain('"counts":{"deadLetters":2,"mails":1}');
  expect(page.said()).toContain('"name":"a"');
  functions = [fn('a', 0), fn('b', 7)];
  await until('the change', () => page.said().includes('"lag":7'));
  expect(page.said().split('event: ').at(-1)).not.toContain('"name":"a"');
});

test('no more than 32 pages listen, and all are sent away when the platform stops', async () => {
  const pages = await Promise.all(Array.from({ length: 32 }, openPage));
  await openPage();
  expect(refused).toEqual(['too-many-listeners']);
  live.close();
  await Promise.all(pages.map(({ ended }) => ended));
  await openPage();
  expect(refused.at(-1)).toBe('platform-stops');
});
