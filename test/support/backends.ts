/** A Postgres database and a nats-server of a test file's own, with the project's schema, streams and consumers. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { RETRIES, retrySubject } from '../../functions/runtime/handling/retries.ts';
import { type Bus, natsSettings, openBus } from '../../functions/runtime/jetstream/connection.ts';
import { type ConsumerSpec, readShopConsumers, readShopStreams } from '../../scripts/manifests/jetstream-yaml.ts';
import { applyJetstream } from '../../scripts/manifests/nack.ts';
import { type NatsKeys, openNatsKeys, withBusAs } from '../../scripts/platform/servers/nats/nats-keys.ts';
import { NACK, OPERATOR } from '../../scripts/registry/nats-users/permissions.ts';
import { TEMPLATE } from './global-setup.ts';
import { serversOf } from './servers.ts';
import { testShell } from './shell.ts';
import { until } from './until.ts';

export type StreamMessage = {
  readonly subject: string;
  readonly sequence: number;
  readonly headers: string;
  readonly data: string;
};

export type Backends = {
  readonly natsUrl: string;
  readonly natsMonitorUrl: string;
  /** Where the seeds of the users of NATS are, with `keys`. */
  readonly secrets: string;
  /** User → the file with its seed; none without `keys`. */
  readonly seedFiles: Readonly<Record<string, string>>;
  readonly databaseUrl: string;
  readonly bus: Bus;
  readonly database: pg.Pool;
  /** Every message that a stream holds. */
  messages(stream: string): Promise<StreamMessage[]>;
  /** Messages that a consumer has not acknowledged. The server counts a message a moment after it is stored: this does not. */
  lag(stream: string, consumer: string): Promise<number>;
  /** What a function has still to do: its lag, and its retries, those that wait included. */
  undone(stream: string, consumer: string): Promise<number>;
  /** Such as SIGSTOP: nats-server is there and does not answer. */
  signalNats(signal: NodeJS.Signals): Promise<void>;
  /** Ends nats-server by SIGKILL and starts it again, with its data, on its ports. */
  restartNats(): Promise<void>;
  /** Ends all of it; throws when something is still connected to the database. */
  stop(): Promise<void>;
};

type Options = {
  readonly consumer?: (spec: ConsumerSpec) => ConsumerSpec;
  /** NATS lets each user do what it needs and no more; `bus` is the operator's. Without it anybody may do anything. */
  readonly keys?: boolean;
};

const NO_KEYS: Partial<NatsKeys> & Pick<NatsKeys, 'seedFiles'> = { seedFiles: {} };

type ConsumerInfo = {
  num_pending: number;
  num_ack_pending: number;
  delivered: { stream_seq: number };
  config: { filter_subject?: string; filter_subjects?: string[] };
};
type StreamInfo = { state: { subjects?: Readonly<Record<string, number>> } };
type StoredMessage = { message: { subject: string; seq: number; hdrs?: string; data?: string } };
const decode = (text = ''): string => Buffer.from(text, 'base64').toString('utf8');

export async function startBackends({ consumer = (spec) => spec, keys = false }: Options = {}): Promise<Backends> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-backends-'));
  const secrets = path.join(folder, 'secrets');
  const { access, seedFiles } = keys ? await openNatsKeys(secrets, []) : NO_KEYS;
  const nats = await (await serversOf(inject('backends'))).startNats(access);

  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client(inject('postgresUrl'));
  await admin.connect();
  await admin.query(`create database ${name} template ${TEMPLATE}`);
  const databaseUrl = inject('postgresUrl').replace(/\/postgres$/, `/${name}`);
  const database = new pg.Pool({ connectionString: databaseUrl, max: 4 });

  const seed = seedFiles[OPERATOR.name];
  const { shell, close } = testShell(
    natsSettings,
    { NATS_URL: nats.url, ...(seed ? { NATS_SEED_FILE: seed } : {}) },
    OPERATOR.name,
  );
  const bus = await openBus(shell);
  const streams = readShopStreams();
  const consumers = readShopConsumers().map(consumer);
  const apply = ({ api }: Bus) => applyJetstream(api, streams, consumers);
  await (keys ? withBusAs(NACK.name, nats.url, secrets, apply) : apply(bus));

  const lag: Backends['lag'] = async (stream, consumerName) => {
    const { config, ...info } = await bus.api<ConsumerInfo>(`CONSUMER.INFO.${stream}.${consumerName}`);
    const filters = config.filter_subjects ?? [config.filter_subject ?? '>'];
    const last = await Promise.all(
      filters.map(async (filter) => {
        const found = bus.api<StoredMessage>(`STREAM.MSG.GET.${stream}`, { last_by_subj: filter });
        return (await found.catch(() => undefined))?.message.seq ?? 0;
      }),
    );
    const counted = info.num_pending + info.num_ack_pending;
    return counted === 0 && Math.max(...last) > info.delivered.stream_seq ? 1 : counted;
  };

  const stored = async (stream: string, filter: string): Promise<number> => {
    const { state } = await bus.api<StreamInfo>(`STREAM.INFO.${stream}`, { subjects_filter: filter });
    return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  };

  return {
    natsUrl: nats.url,
    natsMonitorUrl: nats.monitorUrl,
    secrets,
    seedFiles,
    databaseUrl,
    bus,
    database,
    async messages(stream) {
      const { state } = await bus.api<{ state: { first_seq: number; last_seq: number } }>(`STREAM.INFO.${stream}`);
      const found: StreamMessage[] = [];
      for (let sequence = state.first_seq; sequence <= state.last_seq; sequence += 1) {
        const stored = await bus
          .api<StoredMessage>(`STREAM.MSG.GET.${stream}`, { seq: sequence })
          .catch(() => undefined);
        if (!stored) continue;
        const { subject, hdrs, data } = stored.message;
        found.push({ subject, sequence, headers: decode(hdrs), data: decode(data) });
      }
      return found;
    },
    lag,
    // In the order that a message takes: one that is parked meanwhile is seen.
    undone: async (stream, name) =>
      (await lag(stream, name)) +
      (await stored(RETRIES, `waiting.${name}.>`)) +
      (await stored(RETRIES, retrySubject(name))),
    signalNats: nats.signal,
    restartNats: nats.restart,
    async stop() {
      await close();
      await database.end();
      await until('the connections of the test to be closed', async () => {
        const { rows } = await admin.query('select application_name from pg_stat_activity where datname = $1', [name]);
        return rows.length === 0;
      });
      await admin.query(`drop database ${name}`);
      await admin.end();
      await nats.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
