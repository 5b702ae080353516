/**
 * A real Prometheus of a test's own, with the project's rules. Debian builds it without its OTLP receiver, so what is
 * pushed is translated here and handed on by remote write.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { telemetryFile } from './dashboard.ts';
import { seriesOf } from './otlp-series.ts';
import { obtainPrometheus } from './prometheus-binary.ts';
import { remoteWriteBody } from './remote-write.ts';
import { until } from './until.ts';

export type Sample = { readonly metric: Readonly<Record<string, string>>; readonly value: number };
export type Prometheus = {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly otlpUrl: string;
  /** What an expression gives now; throws what Prometheus says of one that is wrong. */
  query(expr: string): Promise<Sample[]>;
  /** Of what was asked at `/api/v1/<what>`, its data. */
  get(what: string): Promise<unknown>;
  /** What it did not take of what was pushed, and why. */
  readonly refused: readonly string[];
  stop(): Promise<void>;
};

type Answered = { readonly status: string; readonly error?: string; readonly data?: unknown };
type Vector = { readonly result: readonly { metric: Sample['metric']; value: [number, string] }[] };

/** The configuration as it is mounted, but nothing is scraped, and rules are not waited for. */
function writeConfiguration(folder: string): string {
  const config = parse(readFileSync(telemetryFile('prometheus-config.yaml'), 'utf8'));
  const rules = parse(readFileSync(telemetryFile('prometheus-rules.yaml'), 'utf8'));
  const groups = rules.groups.map((group: object) => ({ ...group, interval: '1s' }));
  const file = path.join(folder, 'prometheus.yml');
  writeFileSync(file, stringify({ ...config, scrape_configs: [] }));
  writeFileSync(path.join(folder, 'rules.yaml'), stringify({ groups }));
  return file;
}

/** The files as the ConfigMap has them. */
export function mountedConfiguration(folder: string): string {
  copyFileSync(telemetryFile('prometheus-config.yaml'), path.join(folder, 'prometheus.yml'));
  copyFileSync(telemetryFile('prometheus-rules.yaml'), path.join(folder, 'rules.yaml'));
  return path.join(folder, 'prometheus.yml');
}

const WRITE_HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
};

/** Takes `/v1/metrics`; what is sent to other paths is dropped. */
async function startReceiver(prometheusUrl: string) {
  const refused: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    response.end('{}');
    if (request.url !== '/v1/metrics') return;
    try {
      const body = remoteWriteBody(seriesOf(JSON.parse(Buffer.concat(chunks).toString())));
      const written = await fetch(`${prometheusUrl}/api/v1/write`, { method: 'POST', headers: WRITE_HEADERS, body });
      if (!written.ok) refused.push(await written.text());
    } catch (error) {
      refused.push(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, refused, close };
}

export async function startPrometheus(): Promise<Prometheus> {
  const { prometheus } = await obtainPrometheus();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-prometheus-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const options = [
    `--config.file=${writeConfiguration(folder)}`,
    `--storage.tsdb.path=${path.join(folder, 'data')}`,
    `--web.listen-address=${new URL(url).host}`,
    '--web.enable-remote-write-receiver',
    '--enable-feature=exemplar-storage',
  ];
  const child = spawn(prometheus, options, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const ended = once(child, 'exit');
  await until('Prometheus to be ready', async () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended:\n${said}`);
    return (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok;
  });
  const get = async (what: string): Promise<unknown> => {
    const { status, error, data } = (await (await fetch(`${url}/api/v1/${what}`)).json()) as Answered;
    if (status !== 'success') throw new Error(`${decodeURIComponent(what)}: ${error}`);
    return data;
  };
  const receiver = await startReceiver(url);
  return {
    otlpUrl: receiver.url,
    refused: receiver.refused,
    get,
    async query(expr) {
      const { result } = (await get(`query?query=${encodeURIComponent(expr)}`)) as Vector;
      return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
    },
    async stop() {
      await receiver.close();
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
