import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chooseBackends } from './engine.ts';

let folder: string;
const servers: Server[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-engine-'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await rm(folder, { recursive: true });
});

/** An engine at a socket or at a port; gives its port. */
async function listen(answer: RequestListener | undefined, at: string | number): Promise<number> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(at, resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
const ping: RequestListener = ({ url }, response) => void response.writeHead(url === '/_ping' ? 200 : 404).end();

test('containers are used where an engine answers, at a socket or at a port', async () => {
  const socket = path.join(folder, 'docker.sock');
  await listen(ping, socket);
  expect(await chooseBackends({ DOCKER_HOST: `unix://${socket}` })).toEqual({
    where: 'containers',
    why: `a Docker engine answers at unix://${socket}`,
  });
  const port = await listen(ping, 0);
  expect(await chooseBackends({ DOCKER_HOST: `tcp://127.0.0.1:${port}` })).toMatchObject({ where: 'containers' });
});

test.each<[string, RequestListener | undefined]>([
  ['not with 200', (_, response) => void response.writeHead(503).end()],
  ['not in time', undefined],
])('programs of the machine are used where what answers does so %s', async (_how, answer) => {
  const socket = path.join(folder, 'docker.sock');
  await listen(answer, socket);
  expect(await chooseBackends({ DOCKER_HOST: `unix://${socket}` })).toMatchObject({ where: 'local' });
});

test('programs of the machine are used where nothing answers', async () => {
  const DOCKER_HOST = `unix://${path.join(folder, 'docker.sock')}`;
  expect(await chooseBackends({ DOCKER_HOST })).toEqual({ where: 'local', why: 'no Docker engine answers' });
});

test('MILLRACE_TEST_BACKENDS decides, and must be one of two', async () => {
  for (const where of ['local', 'containers'])
    expect(await chooseBackends({ MILLRACE_TEST_BACKENDS: where })).toMatchObject({ where });
  await expect(chooseBackends({ MILLRACE_TEST_BACKENDS: 'docker' })).rejects.toThrow('must be local or containers');
});
