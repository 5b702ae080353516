/** Servers of tests as programs of this machine, those that `npm start` uses. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { obtainNatsServer } from '../../scripts/platform/servers/nats/nats-binary.ts';
import { type NatsServer, startNatsServer } from '../../scripts/platform/servers/nats/nats-server.ts';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { startPostgres } from '../../scripts/platform/servers/postgres/postgres.ts';
import type { Servers } from './servers.ts';

const newFolder = (what: string): Promise<string> => mkdtemp(path.join(os.tmpdir(), `millrace-${what}-`));
const remove = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

export const local: Servers = {
  async prepare() {
    await obtainNatsServer((line) => console.log(line));
  },

  async startNats(access) {
    const folder = await newFolder('nats');
    const { path: binary } = await obtainNatsServer(() => undefined);
    const options = {
      binary,
      port: await freePort(),
      monitorPort: await freePort(),
      storeDir: path.join(folder, 'jetstream'),
      syncAlways: false,
      ...(access ? { access } : {}),
    };
    let server: NatsServer = await startNatsServer(options);
    return {
      url: server.url,
      monitorUrl: server.monitorUrl,
      signal: async (signal) => server.kill(signal),
      async restart() {
        server.kill('SIGKILL');
        await server.exited;
        server = await startNatsServer(options);
      },
      async stop() {
        await server.stop();
        await remove(folder);
      },
    };
  },

  async startPostgres() {
    const folder = await newFolder('postgres');
    const dataDir = path.join(folder, 'data');
    const server = await startPostgres({ dataDir, port: await freePort(), durable: false });
    return {
      url: server.url,
      async stop() {
        await server.stop();
        await remove(server.dataDir);
        await remove(folder);
      },
    };
  },
};
