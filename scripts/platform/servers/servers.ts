/** A data folder and ports → Postgres, migrated, and NATS, both kept running; stopped by the cleanup. */
import path from 'node:path';
import type { Cleanup } from './cleanup.ts';
import { together } from './cleanup.ts';
import type { DataFolder } from './data-folder.ts';
import type { Ports } from './endpoints.ts';
import { type KeptServer, keepServer } from './kept-server.ts';
import { obtainNatsServer } from './nats/nats-binary.ts';
import { type NatsAccess, type NatsServer, startNatsServer } from './nats/nats-server.ts';
import { migrate } from './postgres/migrate.ts';
import { type Postgres, startPostgres } from './postgres/postgres.ts';

export type Servers = { readonly nats: KeptServer<NatsServer>; readonly postgres: KeptServer<Postgres> };
type Progress = (line: string) => void;

export async function startServers(
  paths: DataFolder,
  ports: Ports,
  access: NatsAccess,
  cleanup: Cleanup,
  progress: Progress,
  natsLauncher: readonly string[] = [],
): Promise<Servers> {
  const [nats, postgres] = await together(
    startNats(paths, ports, access, cleanup, progress, natsLauncher),
    startDatabase(paths, ports, cleanup, progress),
  );
  return { nats, postgres };
}

async function startNats(
  paths: DataFolder,
  ports: Ports,
  access: NatsAccess,
  cleanup: Cleanup,
  progress: Progress,
  launcher: readonly string[],
) {
  const binary = await obtainNatsServer(progress);
  const start = () =>
    startNatsServer({
      binary: binary.path,
      port: ports.nats,
      monitorPort: ports.natsMonitor,
      storeDir: paths.nats,
      logFile: path.join(paths.logs, 'nats-server.log'),
      launcher,
      access,
    });
  const server = await keepServer('nats-server', start, progress);
  cleanup.add('nats-server', server.stop);
  progress(`nats-server ${binary.version} is ready (from ${binary.from})`);
  return server;
}

async function startDatabase(paths: DataFolder, ports: Ports, cleanup: Cleanup, progress: Progress) {
  const start = () => startPostgres({ dataDir: paths.postgres, port: ports.postgres, durable: true });
  const server = await keepServer('Postgres', start, progress);
  cleanup.add('Postgres', server.stop);
  const done = await migrate(server.first.url);
  progress(`Postgres is ready${done.length > 0 ? `, after migration ${done.join(', ')}` : ''}`);
  return server;
}
