import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { scaleCommand } from '../../scripts/operate/scale/command.ts';
import { readRecording } from '../../scripts/operate/scale/recording.ts';
import { startShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let shop: Awaited<ReturnType<typeof startShop>>;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-record-'));
  shop = await startShop();
});

afterAll(async () => {
  await shop?.end();
  await rm(folder, { recursive: true, force: true });
});

/** What it prints; throws what it says to be wrong. */
async function scale(...args: string[]): Promise<string> {
  const log = vi.spyOn(console, 'log').mockReturnValue();
  try {
    await scaleCommand(args, { MILLRACE_DATA: shop.dataDir });
    return log.mock.calls.flat().join('\n');
  } finally {
    log.mockRestore();
  }
}

const order = async (token: string): Promise<void> => {
  const headers = { 'idempotency-key': randomUUID(), prefer: 'wait=20' };
  const body = { lines: [{ sku: 'tea', quantity: 1 }] };
  expect((await shop.call('POST', '/v1/orders', { token, headers, body })).status).toBe(201);
};

test('what comes to a function is recorded, and the recording is a load to simulate', {
  timeout: 120_000,
}, async () => {
  const token = await shop.signUp();
  const file = path.join(folder, 'view.jsonl');
  const recorded = scale('record', 'order-view', '--seconds', '6', '--every', '0.5', '--out', file);
  await until('the recording to begin', () => existsSync(file) && readFileSync(file, 'utf8').includes('"t":'));
  await Promise.all(Array.from({ length: 5 }, () => order(token)));
  expect(await recorded).toContain('5 messages for order-view are recorded');

  const { header, samples, summary } = readRecording(readFileSync(file, 'utf8'), file);
  expect(header?.function).toBe('order-view');
  expect(samples.reduce((sum, { arrived }) => sum + arrived, 0)).toBe(5);
  expect(Math.max(...samples.map(({ replicas = 0 }) => replicas))).toBe(1);
  expect(summary).toMatchObject({
    handled: 5,
    handlerMs: { p50: expect.any(Number) },
    waits: { p95: expect.any(Number) },
  });

  const [{ simulation }] = JSON.parse(await scale('simulate', '--load', file, '--local', '--json')).runs;
  expect(simulation).toMatchObject({ handled: 5, left: 0, peakReplicas: 1 });
});

test('scale explain says why an event function and an HTTP function have the replicas that they have', async () => {
  await order(await shop.signUp());
  const text = await scale('explain', 'order-view');
  expect(text).toMatch(/^order-view has \d replicas?.*; at least 0, at most 4\.\n/);
  expect(text).toMatch(/lag of ORDERS\/order-view is \d+, 512 a replica/);
  expect(text).toContain('lag of RETRIES/order-view-retries is 0, 16 a replica');
  expect(text).toMatch(/lag of ORDERS\/order-view is \d+, above 0: woken/);

  const { scaling, changes } = JSON.parse(await scale('explain', 'commands-api', '--json'));
  expect(scaling).toMatchObject({ by: 'knative', targetConcurrency: 100, lastActiveAt: expect.any(String) });
  expect(changes.at(-1)).toMatchObject({ from: 0, to: 1, why: 'a request came' });
  expect(await scale('explain', 'user-service')).toContain('It is always on');
});

test.each([
  [[], "scale takes lint, simulate, record, explain, not ''"],
  [['explain'], 'which function? scale explain takes its name'],
  [['explain', 'order-vew'], "there is no function 'order-vew'; there are account-emails"],
  [['explain', 'order-view', 'sales-view'], 'one function at a time, not also sales-view'],
  [['explain', 'order-view', '--url', 'here'], '--url must be a URL such as http://127.0.0.1:8080'],
  [['record'], 'which function? scale record takes one'],
  [['record', 'commands-api'], 'commands-api is not fed by a consumer: there is no load to record'],
  [['record', 'order-view', '--every', '0'], "--every must be seconds from 0.1 to 60, not '0'"],
  [['record', 'order-view', '--out', '/nowhere/load.jsonl'], '--out: there is no folder /nowhere; make it first'],
  [['lint', '--overlay', 'staging'], "--overlay: there is no 'staging' in knative/overlays; there are"],
  [['lint', '--p99', 'order-view'], '--p99 takes a function and seconds, such as <function>=2.5'],
  [['lint', '--p99', 'order-vew=1'], "--p99: there is no function 'order-vew'"],
])('scale %j is refused: %s', async (args, message) => {
  await expect(scale(...args)).rejects.toThrow(message);
});
