/** Servers of tests in containers, of the versions that `npm start` uses; testcontainers removes those of a killed run. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { natsConfig } from '../../scripts/platform/servers/nats/nats-server.ts';
import { freePort } from '../../scripts/platform/servers/ports.ts';
import { localeOptions, serverOptions } from '../../scripts/platform/servers/postgres/postgres.ts';
import type { Servers } from './servers.ts';
import { until } from './until.ts';

const NATS_IMAGE = 'nats:2.15';
const NATS_PORT = 4222;
const MONITOR_PORT = 8222;
const NATS_FOLDER = '/millrace';
const POSTGRES_IMAGE = 'postgres:18';
const POSTGRES_PORT = 5432;

/** Published there, not where names of the host may lead to IPv6. */
const hostOf = (container: StartedTestContainer): string => container.getHost().replace(/^localhost$/, '127.0.0.1');

/** Of the engine, which sends it to the server as process 1 of its container. */
async function signal(container: StartedTestContainer, name: NodeJS.Signals): Promise<void> {
  const client = await getContainerRuntimeClient();
  await client.container.getById(container.getId()).kill({ signal: name });
}

async function isRunning(container: StartedTestContainer): Promise<boolean> {
  const client = await getContainerRuntimeClient();
  return (await client.container.getById(container.getId()).inspect()).State.Running;
}

async function accepts(url: string): Promise<boolean> {
  const client = new pg.Client(url);
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}

export const containers: Servers = {
  async prepare() {
    const { image } = await getContainerRuntimeClient();
    for (const name of [NATS_IMAGE, POSTGRES_IMAGE].map((name) => ImageName.fromString(name))) {
      if (await image.exists(name)) continue;
      console.log(`pulling the image ${name.string}`);
      await image.pull(name);
    }
  },

  async startNats(access) {
    const config = natsConfig({
      host: '0.0.0.0',
      port: NATS_PORT,
      monitorPort: MONITOR_PORT,
      storeDir: '/data',
      syncAlways: false,
      ...(access ? { access } : {}),
    });
    // Ports of the host are chosen here: those that the engine chooses are others after a restart.
    const [port, monitorPort] = [await freePort(), await freePort()];
    const container = await new GenericContainer(NATS_IMAGE)
      .withCopyContentToContainer([
        { target: `${NATS_FOLDER}/nats.conf`, content: config },
        { target: `${NATS_FOLDER}/accounts.conf`, content: access?.conf ?? '' },
      ])
      .withEnvironment({ ...access?.environment })
      .withCommand(['-c', `${NATS_FOLDER}/nats.conf`])
      .withExposedPorts({ container: NATS_PORT, host: port }, { container: MONITOR_PORT, host: monitorPort })
      .withWaitStrategy(Wait.forHttp('/healthz', MONITOR_PORT))
      .start();
    return {
      url: `nats://${hostOf(container)}:${port}`,
      monitorUrl: `http://${hostOf(container)}:${monitorPort}`,
      signal: (name) => signal(container, name),
      async restart() {
        await signal(container, 'SIGKILL');
        await until('nats-server to be killed', async () => !(await isRunning(container)));
        await container.restart();
      },
      async stop() {
        await container.stop({ timeout: 0 });
      },
    };
  },

  async startPostgres() {
    // The engine publishes the port to others than this machine too.
    const [password, port] = [randomUUID(), await freePort()];
    const container = await new GenericContainer(POSTGRES_IMAGE)
      .withEnvironment({ POSTGRES_PASSWORD: password, POSTGRES_INITDB_ARGS: localeOptions.join(' ') })
      .withCommand(['postgres', ...serverOptions(false)])
      .withExposedPorts({ container: POSTGRES_PORT, host: port })
      // The one that the image starts first, for its own setting up, listens to no address.
      .withWaitStrategy(Wait.forLogMessage(/listening on IPv4 address/))
      .start();
    const url = `postgres://postgres:${password}@${hostOf(container)}:${port}/postgres`;
    await until('Postgres to accept connections', () => accepts(url));
    return {
      url,
      async stop() {
        await container.stop({ timeout: 0 });
      },
    };
  },
};
