/** Where functions are measured: a real nats-server and Postgres with empty data, both durable, and the functions' bundles. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Bus, natsSettings, openBus } from '../../../../functions/runtime/jetstream/connection.ts';
import { openLog } from '../../../../functions/runtime/log.ts';
import { type Database, databaseSettings, openDatabase } from '../../../../functions/runtime/postgres.ts';
import { readSettings } from '../../../../functions/runtime/process/settings.ts';
import { readShopConsumers, readShopStreams } from '../../../manifests/jetstream-yaml.ts';
import { applyJetstream } from '../../../manifests/nack.ts';
import type { Cleanup } from '../../../platform/servers/cleanup.ts';
import { obtainNatsServer } from '../../../platform/servers/nats/nats-binary.ts';
import { startNatsServer } from '../../../platform/servers/nats/nats-server.ts';
import { freePort } from '../../../platform/servers/ports.ts';
import { migrate } from '../../../platform/servers/postgres/migrate.ts';
import { startPostgres } from '../../../platform/servers/postgres/postgres.ts';
import { buildFunctions } from '../../../ship/build.ts';

export type Place = {
  readonly bus: Bus;
  readonly database: Database;
  /** The folder that goes with the place. */
  readonly folder: string;
  /** Of a function that runs here. */
  readonly environment: Readonly<Record<string, string>>;
  /** File of a function's bundle. */
  bundleOf(name: string): string;
};

/** Every write is synced before it is acknowledged: Postgres by fsync, JetStream by `sync_interval: always`. */
export async function openPlace(functions: readonly string[], cleanup: Cleanup): Promise<Place> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-bench-'));
  cleanup.add('folder', () => rm(folder, { recursive: true, force: true }));
  const { path: binary } = await obtainNatsServer(() => undefined);
  const storeDir = path.join(folder, 'nats');
  const nats = await startNatsServer({ binary, port: await freePort(), monitorPort: await freePort(), storeDir });
  cleanup.add('nats-server', nats.stop);
  const dataDir = path.join(folder, 'postgres');
  const postgres = await startPostgres({ dataDir, port: await freePort(), durable: true });
  cleanup.add('folder of Postgres', () => rm(postgres.dataDir, { recursive: true, force: true }));
  cleanup.add('Postgres', postgres.stop);
  await migrate(postgres.url);
  const servers = { NATS_URL: nats.url, DATABASE_URL: postgres.url };
  const settings = readSettings({ ...natsSettings, ...databaseSettings }, servers);
  const onClose = (close: () => Promise<void> | void): void => cleanup.add('connection', close);
  const shell = { name: 'bench', settings, log: openLog('bench', 'silent'), onClose };
  const bus = await openBus(shell);
  await applyJetstream(bus.api, readShopStreams(), readShopConsumers());
  const database = openDatabase(shell);
  await database.query(`insert into products values ('mug', 'Mug', 1250, 'EUR', 2000000000)`);
  const bundles = new Map((await buildFunctions([...functions])).map(({ name, file }) => [name, file]));
  const environment = {
    ...servers,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'warn',
    NODE_COMPILE_CACHE: path.join(folder, 'compile-cache'),
  };
  const bundleOf = (name: string): string => {
    const file = bundles.get(name);
    if (file === undefined) throw new Error(`${name} was not built`);
    return file;
  };
  return { bus, database, folder, environment, bundleOf };
}
