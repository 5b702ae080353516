/** `npm run bench -- tracing`: CPU of create-order with its spans recorded and without, from cold and at work, in one run. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from '../../../../functions/runtime/jetstream/connection.ts';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import { openPlace, type Place } from '../measure/place.ts';
import type { Part, Result, Row } from '../part.ts';
import { median } from '../quantile.ts';

const FUNCTION = 'create-order';
const ORDERS = 2_000;
const RUNS = 5;
const MOST_MS = 120_000;
const POLL_MS = 20;

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
async function cpuOf({ bus, environment, bundleOf }: Place, orders: number, endpoint: string): Promise<number> {
  for (let left = orders; left > 0; left -= 100)
    await Promise.all(Array.from({ length: Math.min(left, 100) }, () => order(bus)));
  while ((await undone(bus)) < orders) await delay(POLL_MS);
  const preload = path.join(import.meta.dirname, '../measure/cpu.cjs');
  const child = spawn(process.execPath, ['--require', preload, bundleOf(FUNCTION)], {
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

async function compare(place: Place, what: string, orders: number, collector: string): Promise<Row> {
  const without: number[] = [];
  const recording: number[] = [];
  await cpuOf(place, orders, collector);
  for (let run = 0; run < RUNS; run += 1) {
    without.push(await cpuOf(place, orders, ''));
    recording.push(await cpuOf(place, orders, collector));
  }
  const baseline = { what: 'not recording', value: median(without) };
  return { what: `${FUNCTION} recording, CPU ${what}`, value: median(recording), unit: 'ms', baseline };
}

async function run(cleanup: Cleanup): Promise<Result> {
  const place = await openPlace([FUNCTION], cleanup);
  const collector = await openCollector(cleanup);
  const one = await compare(place, 'from start to end, one order', 1, collector);
  return { rows: [one, await compare(place, `from start to end, ${ORDERS} orders`, ORDERS, collector)] };
}

export const tracing: Part = {
  name: 'tracing',
  about: 'CPU of create-order with its spans recorded and without, from cold and at work',
  run,
};
