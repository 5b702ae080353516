/** Addresses and keys of a started platform → its own connections to the servers, made as a function makes them. */
import path from 'node:path';
import { type Bus, natsSettings, openBus } from '../../functions/runtime/jetstream/connection.ts';
import type { Log } from '../../functions/runtime/log.ts';
import { type Database, databaseSettings, openDatabase } from '../../functions/runtime/postgres.ts';
import { readSettings } from '../../functions/runtime/process/settings.ts';
import { OPERATOR } from '../registry/nats-users/permissions.ts';
import type { Cleanup } from './servers/cleanup.ts';
import type { DataFolder } from './servers/data-folder.ts';
import type { Endpoints } from './servers/endpoints.ts';
import { logTo, openLogFile } from './servers/log-file.ts';
import { natsKeysFolder } from './servers/nats/nats-keys.ts';
import { seedFileOf } from './servers/nats/seeds.ts';

export type Client = {
  readonly bus: Bus;
  readonly database: Database;
  /** Of the platform. */
  readonly log: Log;
};

type Folders = Pick<DataFolder, 'logs' | 'secrets'>;

/** `user` is the one of NATS that it is. */
export async function openClient(
  endpoints: Endpoints,
  { logs, secrets }: Folders,
  cleanup: Cleanup,
  user = OPERATOR.name,
): Promise<Client> {
  const file = openLogFile(path.join(logs, 'platform.log'));
  cleanup.add('log', file.close);
  const settings = readSettings(
    { ...natsSettings, ...databaseSettings },
    {
      NATS_URL: endpoints.nats,
      NATS_SEED_FILE: seedFileOf(natsKeysFolder(secrets), user),
      DATABASE_URL: endpoints.postgres,
    },
  );
  const onClose = (close: () => Promise<void> | void): void => cleanup.add('connection', close);
  const log = logTo(file);
  const shell = { name: user, settings, log, onClose };
  return { bus: await openBus(shell), database: openDatabase(shell), log };
}
