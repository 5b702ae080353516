import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { dataDirFor } from '../../scripts/platform/servers/postgres/postgres.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { until } from '../support/until.ts';

let data: string;

beforeAll(async () => {
  data = await mkdtemp(path.join(os.tmpdir(), 'millrace-start-'));
});

afterAll(async () => {
  for (const pid of processesOnData()) process.kill(Number(pid), 'SIGKILL');
  await rm(dataDirFor(path.join(data, 'postgres')), { recursive: true, force: true });
  await rm(data, { recursive: true, force: true });
});

type Start = { readonly said: () => string; readonly exit: Promise<number | null>; kill(signal: NodeJS.Signals): void };

function npmStart(env: Record<string, string>, args: string[] = []): Start {
  const child = spawn('npm', ['start', '--silent', '--', ...args], {
    cwd: repository,
    env: {
      ...process.env,
      MILLRACE_DATA: data,
      MILLRACE_PORT: '0',
      MILLRACE_GRPC_PORT: '0',
      MILLRACE_NATS_PORT: '0',
      MILLRACE_POSTGRES_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  return {
    said: () => output,
    exit: new Promise((resolve) => child.once('exit', resolve)),
    kill: (signal) => void child.kill(signal),
  };
}

type Endpoints = Record<'http' | 'grpc' | 'nats' | 'natsMonitor' | 'postgres', string>;

/** The addresses of a shop that serves; a file that a killed one left names nothing that answers. */
async function ready(start: Start): Promise<Endpoints> {
  const find = async (): Promise<Endpoints | undefined> => {
    const endpoints = JSON.parse(readFileSync(path.join(data, 'endpoints.json'), 'utf8')) as Endpoints;
    return (await fetch(`${endpoints.http}/readyz`)).ok ? endpoints : undefined;
  };
  const endpoints = await until('the shop to be ready', find, 60_000);
  await until('the three calls', () => start.said().includes('/v1/orders'));
  return endpoints;
}

/** Processes whose command line or environment names the data folder of this test. */
function processesOnData(): string[] {
  const real = dataDirFor(path.join(data, 'postgres'));
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      const about = readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/environ`, 'utf8');
      return about.includes(data) || about.includes(real);
    } catch {
      return false;
    }
  });
}

/** Takes what the functions tell of themselves. */
async function startCollector() {
  const paths = new Set<string>();
  const server = createHttpServer((request, response) => {
    paths.add(request.url ?? '');
    request.resume().once('end', () => response.end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${Object(server.address()).port}`;
  return { url, got: (path: string) => paths.has(path), close: () => void server.close() };
}

async function json(
  url: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Record<string, string> & { orders: object[] }> {
  const init = body
    ? { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }
    : { headers };
  return (await (await fetch(url, init)).json()) as Record<string, string> & { orders: object[] };
}

test('npm start says what to do, Ctrl-C leaves no process, and a second start keeps the data', {
  timeout: 180_000,
}, async () => {
  const takenPort = String(await freePort());
  const taken = createServer().listen(Number(takenPort), '127.0.0.1');
  await once(taken, 'listening');
  const first = npmStart({ MILLRACE_PORT: takenPort });
  const endpoints = await ready(first);
  taken.close();
  expect(Object.keys(endpoints).sort()).toEqual(['grpc', 'http', 'nats', 'natsMonitor', 'postgres']);
  expect(endpoints.http).not.toContain(takenPort);
  expect(first.said()).toMatch(new RegExp(`${takenPort}.*taken|taken.*${takenPort}`));

  const calls = first.said().match(/^(?:curl|TOKEN=).*$/gm) ?? [];
  expect(calls).toHaveLength(3);
  const { stdout } = await promisify(execFile)('bash', ['-euc', calls.join('\n')]);
  expect(stdout).toContain('HTTP/1.1 201 Created');

  const demo = JSON.parse(readFileSync(path.join(data, 'demo.json'), 'utf8')) as { customer: object };
  const { accessToken } = await json(`${endpoints.http}/v1/sessions`, demo.customer);
  const order = await json(
    `${endpoints.http}/v1/orders`,
    { lines: [{ sku: 'mug', quantity: 1 }] },
    { authorization: `Bearer ${accessToken}`, 'idempotency-key': 'kept' },
  );
  expect(order.orderId).toBeDefined();

  const third = npmStart({});
  expect(await third.exit).not.toBe(0);
  expect(third.said()).toMatch(/runs on .* already: process \d+/);

  first.kill('SIGINT');
  expect(await first.exit).toBe(0);
  expect(processesOnData()).toEqual([]);
  expect(existsSync(path.join(data, 'endpoints.json'))).toBe(false);

  const collector = await startCollector();
  const second = npmStart({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const again = await ready(second);
  const { accessToken: token } = await json(`${again.http}/v1/sessions`, demo.customer);
  await until('the order of the first start', async () => {
    const { orders } = await json(`${again.http}/v1/orders`, undefined, { authorization: `Bearer ${token}` });
    return JSON.stringify(orders).includes(String(order.orderId));
  });
  await until('traces and metrics to go elsewhere', () => ['/v1/traces', '/v1/metrics'].every(collector.got));
  expect(await json(`${again.http}/_local/traces?subject=${order.orderId}`)).toMatchObject({
    slug: 'telemetry-elsewhere',
  });
  second.kill('SIGTERM');
  expect(await second.exit).toBe(0);
  collector.close();
  expect(processesOnData()).toEqual([]);
});

test('npm start killed by -9 is cleaned up by the next, and --fresh begins empty', { timeout: 180_000 }, async () => {
  const first = npmStart({});
  const { postgres } = await ready(first);
  const pids = processesOnData();
  expect(pids.length).toBeGreaterThan(3);
  for (const pid of pids)
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('scripts/start.ts')) process.kill(Number(pid), 'SIGKILL');
  await first.exit;
  const second = npmStart({}, ['--fresh']);
  const endpoints = await ready(second);
  expect(endpoints.postgres).not.toBe(postgres);
  const demo = JSON.parse(readFileSync(path.join(data, 'demo.json'), 'utf8')) as { customer: object };
  const { accessToken } = await json(`${endpoints.http}/v1/sessions`, demo.customer);
  expect(await json(`${endpoints.http}/v1/orders`, undefined, { authorization: `Bearer ${accessToken}` })).toEqual({
    orders: [],
  });
  second.kill('SIGINT');
  expect(await second.exit).toBe(0);
  expect(processesOnData()).toEqual([]);
});

test.each([
  [{ MILLRACE_PORT: 'http' }, [], 'MILLRACE_PORT'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, [], 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  [{}, ['--frehs'], '--frehs'],
])('npm start with %j %j says what is wrong', async (env, args, says) => {
  const start = npmStart(env, args);
  expect(await start.exit).toBe(2);
  expect(start.said()).toContain(says);
});
