/** The secrets folder of the platform → an nkey for every user of its NATS, and what the server must know of them. */
import path from 'node:path';
import { type Bus, natsSettings, openBus } from '../../../../functions/runtime/jetstream/connection.ts';
import { openLog } from '../../../../functions/runtime/log.ts';
import { readSettings } from '../../../../functions/runtime/process/settings.ts';
import { accountsConf } from '../../../registry/nats-users/accounts-conf.ts';
import type { NatsUser } from '../../../registry/nats-users/permissions.ts';
import { shopUsers } from '../../../registry/nats-users/shop-users.ts';
import type { NatsAccess } from './nats-server.ts';
import { makeNkeys, seedFileOf } from './seeds.ts';

export type NatsKeys = {
  readonly access: NatsAccess;
  /** User → the file with its seed. */
  readonly seedFiles: Readonly<Record<string, string>>;
};

type Close = () => Promise<void> | void;

export const natsKeysFolder = (secrets: string): string => path.join(secrets, 'nats');

/** Makes the seeds that are missing. `more` are users besides those of the application. */
export async function openNatsKeys(secrets: string, more: readonly NatsUser[]): Promise<NatsKeys> {
  const users = [...(await shopUsers()), ...more];
  const names = users.map(({ name }) => name);
  const folder = natsKeysFolder(secrets);
  const { environment } = makeNkeys(folder, names);
  const seedFiles = Object.fromEntries(names.map((name) => [name, seedFileOf(folder, name)]));
  return { access: { conf: accountsConf(users), environment }, seedFiles };
}

/** A connection to the platform's NATS as one of its users, for as long as `use` takes. */
export async function withBusAs<Result>(
  user: string,
  url: string,
  secrets: string,
  use: (bus: Bus) => Promise<Result>,
): Promise<Result> {
  const closers: (() => Promise<void> | void)[] = [];
  const environment = { NATS_URL: url, NATS_SEED_FILE: seedFileOf(natsKeysFolder(secrets), user) };
  const settings = readSettings(natsSettings, environment);
  const shell = {
    name: user,
    settings,
    log: openLog(user, 'silent'),
    onClose: (close: Close) => void closers.push(close),
  };
  try {
    return await use(await openBus(shell));
  } finally {
    for (const close of closers) await close();
  }
}
