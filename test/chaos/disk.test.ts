import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Bus, natsSettings, openBus } from '../../functions/runtime/jetstream/connection.ts';
import { type KeptServer, keepServer } from '../../scripts/platform/servers/kept-server.ts';
import { obtainNatsServer } from '../../scripts/platform/servers/nats/nats-binary.ts';
import { type NatsServer, startNatsServer } from '../../scripts/platform/servers/nats/nats-server.ts';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { openDisk } from '../../scripts/shop/chaos/disk.ts';
import { testShell } from '../support/shell.ts';
import { until } from '../support/until.ts';

let folder: string;
let closers: (() => Promise<void> | void)[];

beforeEach(async () => {
  closers = [];
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-disk-'));
});

afterEach(async () => {
  for (const close of closers.reverse()) await close();
  await rm(folder, { recursive: true, force: true });
});

type Kept = { readonly server: KeptServer<NatsServer>; readonly bus: Bus };

async function startKept(launcher: readonly string[], said: string[]): Promise<Kept> {
  const { path: binary } = await obtainNatsServer(() => undefined);
  const [port, monitorPort] = [await freePort(), await freePort()];
  const start = () => startNatsServer({ binary, port, monitorPort, storeDir: path.join(folder, 'nats'), launcher });
  const server = await keepServer('nats-server', start, (line) => void said.push(line));
  closers.push(server.stop);
  const { shell, close } = testShell(natsSettings, { NATS_URL: server.first.url });
  closers.push(close);
  const bus = await openBus(shell);
  await bus.api('STREAM.CREATE.S', { name: 'S', subjects: ['s.*'], storage: 'file' });
  return { server, bus };
}

const isStored = (bus: Bus, subject: string): Promise<boolean> =>
  bus.publish(subject, 'x', {}, subject).then(
    () => true,
    () => false,
  );

test('nats-server whose disk was full is restarted when it has room again, and has lost nothing', async () => {
  const disk = await openDisk(path.join(folder, 'nats', 'jetstream'));
  // Where the machine has no user namespaces, the run says so instead.
  if ('problem' in disk) return expect(disk.problem).not.toBe('');
  closers.push(() => disk.close(false));
  const said: string[] = [];
  const { server, bus } = await startKept(disk.launcher, said);
  const stored: string[] = [];
  const store = async (subject: string): Promise<boolean> => {
    const done = await isStored(bus, subject);
    if (done) stored.push(subject);
    return done;
  };
  expect(await store('s.before')).toBe(true);
  server.first.kill('SIGKILL');
  await server.first.exited;
  await until('it to run again', () => store('s.killed'));

  let full = true;
  const filled = disk.fill(2_000).then(() => {
    full = false;
  });
  for (let index = 0; full; index += 1) await store(`s.full-${index}`);
  await filled;
  await until('messages to be taken again', () => store('s.after'), 40_000);

  expect(said).toContain('nats-server stays unhealthy; it is stopped');
  for (const subject of stored)
    expect(await bus.api('STREAM.MSG.GET.S', { last_by_subj: subject })).toMatchObject({ message: { subject } });
}, 90_000);
