/** `npm run bench -- tracing`: CPU of create-order with its steps recorded and without, from cold and at work, in one run. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { type Bus, openBus } from '../../functions/runtime/bus.ts';
import { readSettings } from '../../functions/runtime/config.ts';
import { openLog } from '../../functions/runtime/log.ts';
import { openDatabase } from '../../functions/runtime/postgres.ts';
import { buildFunctions } from '../build.ts';
import { type Cleanup, openCleanup } from '../local/cleanup.ts';
import { readConsumers, readStreams } from '../local/jetstream-yaml.ts';
import { migrate } from '../local/migrate.ts';
import { applyJetstream } from '../local/nack.ts';
import { obtainNatsServer } from '../local/nats-binary.ts';
import { startNatsServer } from '../local/nats-server.ts';
import { freePort } from '../local/ports.ts';
import { startPostgres } from '../local/postgres.ts';
import { repository } from '../local/yaml-file.ts';

const FUNCTION = 'create-order';
const ORDERS = 2_000;
const RUNS = 5;
const MOST_MS = 120_000;
const POLL_MS = 20;

type Place = { readonly bus: Bus; readonly environment: Readonly<Record<string, string>>; readonly bundle: string };

async function openPlace(folder: string, cleanup: Cleanup): Promise<Place> {
  const { path: binary } = await obtainNatsServer(() => undefined);
  const storeDir = path.join(folder, 'nats');
  const nats = await startNatsServer({ binary, port: await freePort(), monitorPort: await freePort(), storeDir });
  cleanup.add('nats-server', nats.stop);
  const postgres = await startPostgres({
    dataDir: path.join(folder, 'postgres'),
    port: await freePort(),
    durable: true,
  });
  cleanup.add('folder of Postgres', () => rm(postgres.dataDir, { recursive: true, force: true }));
  cleanup.add('Postgres', postgres.stop);
  await migrate(postgres.url);
  const settings = readSettings(['NATS_URL', 'DATABASE_URL', 'DATABASE_CONNECTIONS'], {
    NATS_URL: nats.url,
    DATABASE_URL: postgres.url,
  });
  const onClose = (close: () => Promise<void> | void): void => cleanup.add('connection', close);
  const shell = { name: 'bench', settings, log: openLog('bench', 'silent'), onClose };
  const bus = await openBus(shell);
  const streams = readStreams(path.join(repository, 'infra/nats/streams.yaml'));
  await applyJetstream(bus.api, streams, readConsumers(path.join(repository, 'knative/functions'), streams));
  await openDatabase(shell).query(`insert into products values ('mug', 'Mug', 1250, 'EUR', 2000000000)`);
  const [built] = await buildFunctions([FUNCTION]);
  const environment = {
    NATS_URL: nats.url,
    DATABASE_URL: postgres.url,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'warn',
    NODE_COMPILE_CACHE: path.join(folder, 'compile-cache'),
  };
  return { bus, environment, bundle: built?.file ?? '' };
}

/** Takes everything and keeps nothing; its URL. */
async function openCollector(cleanup: Cleanup): Promise<string> {
  const server = http.createServer((request, response) => {
    request.resume().once('end', () => response.end('{}'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  cleanup.add('collector', () => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function order(bus: Bus): Promise<void> {
  const command = { orderId: randomUUID(), customerId: randomUUID(), lines: [{ sku: 'mug', quantity: 1 }] };
  await bus.publish('command.order.create', JSON.stringify(command), {}, randomUUID());
}

async function undone(bus: Bus): Promise<number> {
  const info = await bus.api<{ num_pending: number; num_ack_pending: number }>(`CONSUMER.INFO.COMMANDS.${FUNCTION}`);
  return info.num_pending + info.num_ack_pending;
}

/** CPU in ms of a process that starts, handles so many orders and ends. */
async function cpuOf({ bus, environment, bundle }: Place, orders: number, endpoint: string): Promise<number> {
  for (let left = orders; left > 0; left -= 100)
    await Promise.all(Array.from({ length: Math.min(left, 100) }, () => order(bus)));
  while ((await undone(bus)) < orders) await delay(POLL_MS);
  const preload = path.join(import.meta.dirname, 'cpu.cjs');
  const child = spawn(process.execPath, ['--require', preload, bundle], {
    env: { ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = text(child.stdout);
  const end = Date.now() + MOST_MS;
  while ((await undone(bus)) > 0 && child.exitCode === null && Date.now() < end) await delay(POLL_MS);
  child.kill('SIGTERM');
  const cpu = Number(/CPU (\S+)/.exec(await said)?.[1]);
  if (Number.isNaN(cpu)) throw new Error(`${FUNCTION} did not say its CPU: ${await said}`);
  return cpu;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function compare(place: Place, what: string, orders: number, collector: string): Promise<void> {
  const without: number[] = [];
  const recording: number[] = [];
  await cpuOf(place, orders, collector);
  for (let run = 0; run < RUNS; run += 1) {
    without.push(await cpuOf(place, orders, ''));
    recording.push(await cpuOf(place, orders, collector));
  }
  const [base, on] = [median(without), median(recording)];
  console.log(
    `${FUNCTION}, ${what}\n  CPU ${base.toFixed(0)} ms, recording ${on.toFixed(0)} ms: ${(on / base).toFixed(2)} ×`,
  );
}

export async function benchTracing(): Promise<void> {
  const cleanup = openCleanup();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-bench-'));
  cleanup.add('folder', () => rm(folder, { recursive: true, force: true }));
  try {
    const place = await openPlace(folder, cleanup);
    const collector = await openCollector(cleanup);
    await compare(place, 'from start to end, one order', 1, collector);
    await compare(place, `from start to end, ${ORDERS} orders`, ORDERS, collector);
  } finally {
    await cleanup.unwind();
  }
}
