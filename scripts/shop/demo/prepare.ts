/** NATS_URL and DATABASE_URL → a shop that can begin where NACK is not: its streams, its consumers, products to order. Again does no harm. */
import { natsSettings, openBus } from '../../../functions/runtime/jetstream/connection.ts';
import { openLog } from '../../../functions/runtime/log.ts';
import { databaseSettings, openDatabase } from '../../../functions/runtime/postgres.ts';
import { readSettings } from '../../../functions/runtime/process/settings.ts';
import { readShopConsumers, readShopStreams } from '../../manifests/jetstream-yaml.ts';
import { applyJetstream, asBegun } from '../../manifests/nack.ts';
import { seedProducts } from './seed.ts';

const streams = readShopStreams();
const consumers = readShopConsumers();
const settings = readSettings({ ...natsSettings, ...databaseSettings });
const closers: (() => Promise<void> | void)[] = [];
const shell = {
  name: 'prepare',
  settings,
  log: openLog('prepare', settings.LOG_LEVEL),
  onClose: (close: () => Promise<void> | void): void => void closers.unshift(close),
};
try {
  const bus = await openBus(shell);
  await applyJetstream(bus.api, streams, await asBegun(bus.api, consumers));
  await seedProducts(openDatabase(shell));
  console.log(
    `${streams.length} streams and ${consumers.length} consumers are as their YAML says, and there are products`,
  );
} finally {
  for (const close of closers) await close();
}
