/** The local platform's servers, for real: found or fetched, started, killed, restarted with their data, and gone after stop. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { natsSettings, openBus } from '../../functions/runtime/jetstream/connection.ts';
import { obtainNatsServer } from '../../scripts/platform/servers/nats/nats-binary.ts';
import { type NatsServer, startNatsServer } from '../../scripts/platform/servers/nats/nats-server.ts';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { dataDirFor, type Postgres, startPostgres } from '../../scripts/platform/servers/postgres/postgres.ts';
import { testShell } from '../support/shell.ts';

const timeout = 60_000;
let folder: string;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-test-'));
  cleanUps.push(() => rm(folder, { recursive: true, force: true }));
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function nats(): Promise<NatsServer> {
  const { path: binary } = await obtainNatsServer(() => undefined);
  const [port, monitorPort] = [await freePort(), await freePort()];
  const server = await startNatsServer({ binary, port, monitorPort, storeDir: path.join(folder, 'nats') });
  cleanUps.push(() => server.stop());
  return server;
}

async function postgres(): Promise<Postgres> {
  const dataDir = dataDirFor(path.join(folder, 'postgres'));
  cleanUps.push(() => rm(dataDir, { recursive: true, force: true }));
  const server = await startPostgres({ dataDir: path.join(folder, 'postgres'), port: await freePort(), durable: true });
  cleanUps.push(() => server.stop());
  return server;
}

async function query(server: Postgres, text: string): Promise<unknown[]> {
  const client = new pg.Client(server.url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function streamNames(server: NatsServer, create?: string): Promise<string[]> {
  const { shell, close } = testShell(natsSettings, { NATS_URL: server.url });
  const bus = await openBus(shell);
  try {
    if (create !== undefined) await bus.api(`STREAM.CREATE.${create}`, { name: create, subjects: [`${create}.>`] });
    return (await bus.api<{ streams: string[] | null }>('STREAM.NAMES')).streams ?? [];
  } finally {
    await close();
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('nats-server', () => {
  test('keeps the streams of a version that had no accounts', { timeout }, async () => {
    const first = await nats();
    expect(await streamNames(first, 'KEPT')).toEqual(['KEPT']);
    await first.stop();
    const streams = path.join(folder, 'nats/jetstream');
    await rename(path.join(streams, 'SHOP'), path.join(streams, '$G'));
    expect(await streamNames(await nats())).toEqual(['KEPT']);
  });

  test('starts with JetStream, and syncs every write before it acknowledges it', { timeout }, async () => {
    const server = await nats();
    const state = await (await fetch(`${server.monitorUrl}/varz`)).json();
    expect(state).toMatchObject({
      host: '127.0.0.1',
      port: server.port,
      max_payload: 1_048_576,
      jetstream: { config: { sync_always: true } },
    });
  });

  test('keeps a stream over a stop and a restart, and stop leaves no process', { timeout }, async () => {
    const first = await nats();
    await streamNames(first, 'KEPT');
    await first.stop();
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(isAlive(first.pid)).toBe(false);
    expect(await streamNames(await nats())).toEqual(['KEPT']);
  });

  test('ends a server of an earlier run that still holds the store', { timeout }, async () => {
    const left = await nats();
    const next = await nats();
    await left.exited;
    expect(isAlive(next.pid)).toBe(true);
  });

  test('that cannot start says why with the end of its log', { timeout }, async () => {
    const running = await nats();
    const { path: binary } = await obtainNatsServer(() => undefined);
    const storeDir = path.join(folder, 'other');
    const start = startNatsServer({ binary, port: running.port, monitorPort: running.monitorPort, storeDir });
    await expect(start).rejects.toThrow(/nats-server ended at once[\s\S]*address already in use/);
  });
});

describe('Postgres', () => {
  test('starts with the durable settings, UTF-8 and no socket but the one on 127.0.0.1', { timeout }, async () => {
    const settings = ['fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'unix_socket_directories'];
    const columns = settings.map((name) => `current_setting('${name}') as ${name}`).join();
    const [row] = await query(await postgres(), `select ${columns}, upper('é') as accent`);
    expect(row).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      accent: 'É',
    });
  });

  test('comes back with committed rows after a SIGKILL while a query is busy', { timeout }, async () => {
    const first = await postgres();
    await query(first, 'create table kept as select 42 as answer');
    const busy = new pg.Client(first.url);
    busy.on('error', () => undefined);
    await busy.connect();
    const endless = expect(busy.query('select count(*) from generate_series(1, 1e12::bigint)')).rejects.toThrow();
    first.kill('SIGKILL');
    expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await query(await postgres(), 'select answer from kept')).toEqual([{ answer: 42 }]);
    await endless;
  });

  test('ends a server of an earlier run that still holds the data', { timeout }, async () => {
    const left = await postgres();
    await query(left, 'create table kept as select 42 as answer');
    const next = await postgres();
    expect(await left.exited).toEqual({ code: 0, signal: null });
    expect(await query(next, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  test('is gone after stop, with all of its processes', { timeout }, async () => {
    const server = await postgres();
    const rows = await query(server, 'select pid from pg_stat_activity union select pg_backend_pid()');
    const pids = rows.map((row) => Number(Object(row).pid));
    expect(pids.length).toBeGreaterThan(3);
    await server.stop();
    expect([server.pid, ...pids].filter(isAlive)).toEqual([]);
  });

  test('takes no half-made data folder for a good one', { timeout }, async () => {
    const dataDir = dataDirFor(path.join(folder, 'postgres'));
    const halfMade = `${dataDir}.new-killed`;
    cleanUps.push(() => rm(halfMade, { recursive: true, force: true }));
    await mkdir(halfMade, { recursive: true });
    await writeFile(path.join(halfMade, 'PG_VERSION'), '18\n');
    const server = await postgres();
    expect(server.dataDir).toBe(dataDir);
    expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(existsSync(halfMade)).toBe(false);
  });

  test('refuses a folder with something else in it, and leaves that alone', async () => {
    const dataDir = dataDirFor(path.join(folder, 'postgres'));
    cleanUps.push(() => rm(dataDir, { recursive: true, force: true }));
    await mkdir(dataDir, { recursive: true });
    await writeFile(path.join(dataDir, 'letter.txt'), 'mine');
    const start = startPostgres({ dataDir, port: await freePort(), durable: true });
    await expect(start).rejects.toThrow(/is not empty and is no Postgres data folder/);
    expect(await readFile(path.join(dataDir, 'letter.txt'), 'utf8')).toBe('mine');
  });
});

describe('freePort', () => {
  test('gives the preferred port if it is free, and another one if it is taken', async () => {
    const preferred = await freePort();
    expect(await freePort(preferred)).toBe(preferred);
    const holder = createServer().listen(preferred, '127.0.0.1');
    cleanUps.push(() => new Promise((resolve) => holder.close(resolve)));
    await new Promise((resolve) => holder.once('listening', resolve));
    const other = await freePort(preferred);
    expect(other).not.toBe(preferred);
    expect(other).toBeGreaterThan(0);
  });
});

describe('obtainNatsServer', () => {
  const program = '#!/bin/sh\necho "nats-server: v2.14.5"\n';

  /** No apt and no nats-server on PATH: only what the tarball needs. */
  async function bareEnvironment(): Promise<NodeJS.ProcessEnv> {
    const bin = path.join(folder, 'bin');
    await mkdir(bin);
    for (const tool of ['tar', 'gzip']) {
      await symlink(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), path.join(bin, tool));
    }
    return { PATH: bin, HOME: folder, XDG_CACHE_HOME: path.join(folder, 'cache') };
  }

  async function servedTarball(): Promise<{ baseUrl: string; sha256: string; requests: string[] }> {
    await mkdir(path.join(folder, 'release'));
    await writeFile(path.join(folder, 'release/nats-server'), program, { mode: 0o755 });
    const tarball = execFileSync('tar', ['-czf', '-', '-C', folder, 'release']);
    const requests: string[] = [];
    const server: Server = createHttpServer((request, response) => {
      requests.push(request.url ?? '');
      response.end(tarball);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUps.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const { port } = server.address() as AddressInfo;
    const sha256 = createHash('sha256').update(tarball).digest('hex');
    return { baseUrl: `http://127.0.0.1:${port}`, sha256, requests };
  }

  test('installs the release tarball once, and finds it in the cache afterwards', async () => {
    const env = await bareEnvironment();
    const { requests, ...release } = await servedTarball();
    const first = await obtainNatsServer(() => undefined, { env, release });
    expect(first).toMatchObject({ version: '2.14.5', from: 'release tarball' });
    expect(await readFile(first.path, 'utf8')).toBe(program);
    const second = await obtainNatsServer(() => undefined, { env, release });
    expect(second).toEqual({ ...first, from: 'cache' });
    expect(requests).toHaveLength(1);
    expect(await readdir(path.dirname(first.path))).toEqual([path.basename(first.path)]);
  });

  test('may run twice at once', async () => {
    const env = await bareEnvironment();
    const { requests: _, ...release } = await servedTarball();
    const both = [1, 2].map(() => obtainNatsServer(() => undefined, { env, release }));
    const [first, second] = await Promise.all(both);
    expect(second?.path).toBe(first?.path);
    expect(await readdir(path.join(folder, 'cache/millrace'))).toHaveLength(1);
  });

  test('refuses a tarball with another checksum, installs nothing, and says each way that failed', async () => {
    const env = await bareEnvironment();
    const { baseUrl } = await servedTarball();
    const attempt = obtainNatsServer(() => undefined, { env, release: { baseUrl, sha256: '0'.repeat(64) } });
    await expect(attempt).rejects.toThrow(
      /PATH: no nats-server[\s\S]*release tarball: .*expected 0{64}: refused[\s\S]*Debian package: no working apt-get[\s\S]*NATS_SERVER_BIN/,
    );
    expect(await readdir(path.join(folder, 'cache/millrace'))).toEqual([]);
  });

  test('says what is wrong when NATS_SERVER_BIN names nothing, or a server that is too old', async () => {
    const missing = obtainNatsServer(() => undefined, { env: { NATS_SERVER_BIN: '/nowhere/nats-server' } });
    await expect(missing).rejects.toThrow(/NATS_SERVER_BIN: \/nowhere\/nats-server does not exist\..*2\.12 or newer/);
    const old = path.join(folder, 'old');
    await writeFile(old, '#!/bin/sh\necho "nats-server: v2.11.9"\n', { mode: 0o755 });
    const tooOld = obtainNatsServer(() => undefined, { env: { NATS_SERVER_BIN: old } });
    await expect(tooOld).rejects.toThrow(/is version 2\.11\.9, and 2\.12 or newer is needed/);
  });
});
