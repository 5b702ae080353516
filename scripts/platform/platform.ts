/** An application, a data folder and wanted ports → all of it running on this machine, from the project's own YAML; stopped without a trace. */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { FUNCTIONS, readConsumers, readShopStreams } from '../manifests/jetstream-yaml.ts';
import { applyJetstream, asBegun } from '../manifests/nack.ts';
import { type Rule, readRules } from '../manifests/rules.ts';
import { NACK, type NatsUser, OPERATOR } from '../registry/nats-users/permissions.ts';
import { type Bundle, buildFunctions } from '../ship/build.ts';
import type { Application } from './application.ts';
import { openClient } from './client.ts';
import { buildPages } from './console/pages.ts';
import { openEntrance } from './entrance.ts';
import { environmentOf } from './function-environment.ts';
import { openPlatformMetrics } from './platform-metrics.ts';
import { openFleet } from './scaling/fleet.ts';
import { openMetrics } from './scaling/metrics.ts';
import { type Cleanup, openCleanup, together } from './servers/cleanup.ts';
import {
  type DataFolder,
  emptyFolder,
  endLeftovers,
  keepDatabaseInStep,
  pathsOf,
  takeFolder,
} from './servers/data-folder.ts';
import { choosePorts, type Endpoints, endpointsOf, type Ports } from './servers/endpoints.ts';
import { openMailbox } from './servers/mailbox.ts';
import { openNatsKeys, withBusAs } from './servers/nats/nats-keys.ts';
import { openLogins } from './servers/postgres/postgres-logins.ts';
import { writePrivate } from './servers/secrets.ts';
import { startServers } from './servers/servers.ts';
import { openTelemetry, telemetryElsewhere } from './telemetry/telemetry.ts';

export { ANY_PORTS, type Endpoints, type Ports } from './servers/endpoints.ts';

export type PlatformOptions = {
  readonly dataDir: string;
  /** Wanted ones; a port that is taken is replaced by a free one. */
  readonly ports: Ports;
  /** Begins with empty data. */
  readonly fresh?: boolean;
  readonly progress?: (line: string) => void;
  /** Users of NATS besides those of the application; their seeds are with the others'. */
  readonly natsUsers?: readonly NatsUser[];
  /** More environment, for every function; with OTEL_EXPORTER_OTLP_ENDPOINT no trace and no metric is kept here. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A command that starts the program named after it: nats-server. */
  readonly natsLauncher?: readonly string[];
  /** Changes the rule of a function: how many replicas it has, say. */
  readonly ruleOf?: (rule: Rule) => Rule;
  /** Gives the bundles of all functions; builds them unless told. */
  readonly build?: () => Promise<Bundle[]>;
  /** Ends a start that is under way. */
  readonly signal?: AbortSignal;
};
export type Platform<Demo> = {
  readonly endpoints: Endpoints;
  readonly ports: Ports;
  /** What there is to try it with. */
  readonly demo: Demo;
  readonly logs: string;
  /** The file with the key by which a person speaks to NATS. */
  readonly natsKey: string;
  /** Drains and stops everything, last started first; resolves to the problems met. */
  stop(): Promise<readonly string[]>;
  /** Ends every process at once. */
  kill(): void;
};

export async function startPlatform<Demo>(
  application: Application<Demo>,
  options: PlatformOptions,
): Promise<Platform<Demo>> {
  const cleanup = openCleanup();
  try {
    return await start(application, { ...options, dataDir: path.resolve(options.dataDir) }, cleanup);
  } catch (error) {
    await cleanup.unwind();
    throw error;
  }
}

async function start<Demo>(
  application: Application<Demo>,
  options: PlatformOptions,
  cleanup: Cleanup,
): Promise<Platform<Demo>> {
  const { dataDir, signal, progress = () => undefined, ruleOf = (rule) => rule } = options;
  const { streams, consumers, rules: declared } = readManifests();
  const rules = declared.map(ruleOf);
  const paths = await openFolder(dataDir, options.fresh ?? false, cleanup, progress);
  const ports = await choosePorts(options.ports);
  const endpoints = endpointsOf(ports);

  const mailbox = await openMailbox(paths.mailbox);
  cleanup.add('mailbox', mailbox.close);

  const elsewhere = options.environment?.OTEL_EXPORTER_OTLP_ENDPOINT;
  const telemetry = elsewhere ? telemetryElsewhere(elsewhere) : await openTelemetry(paths.traces);
  cleanup.add('telemetry', telemetry.close);

  const { access, seedFiles } = await openNatsKeys(paths.secrets, options.natsUsers ?? []);
  const at = { endpoints, mailbox: mailbox.url, secrets: paths.secrets };
  const [servers, bundles, pages, settings] = await together(
    startServers(paths, ports, access, cleanup, progress, options.natsLauncher),
    (options.build ?? buildFunctions)(),
    buildPages(),
    application.settings(at),
  );
  progress(`${bundles.length} functions are built`);
  signal?.throwIfAborted();

  const client = await openClient(endpoints, paths, cleanup);
  await withBusAs(NACK.name, endpoints.nats, paths.secrets, async ({ api }) =>
    applyJetstream(api, streams, await asBegun(api, consumers)),
  );
  const databaseUrls = await openLogins(endpoints.postgres, bundles, paths.secrets);
  progress(`${streams.length} streams and ${consumers.length} consumers are as their YAML says`);

  const { compileCache } = paths;
  const { url: otlpUrl } = telemetry;
  const surroundings = { endpoints, ports, databaseUrls, seedFiles, compileCache, otlpUrl, settings };
  const environment = (bundle: Bundle) => ({ ...environmentOf(bundle, surroundings), ...options.environment });
  const fleet = openFleet({ bundles, rules, environment, logs: paths.logs });
  cleanup.add('services', fleet.stopServices);
  cleanup.add('functions', fleet.stopFunctions);
  await fleet.startServices();
  progress('services are ready');
  const onClose = (close: () => Promise<void> | void): void => cleanup.add('connection', close);
  const demo = await application.seed({ ...at, ...client, demo: paths.demo, onClose });
  signal?.throwIfAborted();

  fleet.startScaling(openMetrics(endpoints.natsMonitor, client.database));
  cleanup.add('scaling', fleet.stopScaling);
  const metrics = openPlatformMetrics({ endpoint: otlpUrl, rules, states: fleet.states, ...client });
  cleanup.add('metrics of the platform', metrics.close);
  await openEntrance({ ports, fleet, servers, client, mailbox, telemetry, pages, cleanup });
  writePrivate(paths.endpoints, endpoints, 0o644);
  cleanup.add('endpoints.json', () => rmSync(paths.endpoints, { force: true }));

  const kill = (): void => {
    fleet.kill();
    servers.nats.kill();
    servers.postgres.kill();
    rmSync(paths.endpoints, { force: true });
  };
  return {
    endpoints,
    ports,
    demo,
    logs: paths.logs,
    natsKey: seedFiles[OPERATOR.name] ?? '',
    stop: cleanup.unwind,
    kill,
  };
}

function readManifests() {
  const streams = readShopStreams();
  const consumers = readConsumers(FUNCTIONS, streams);
  return { streams, consumers, rules: readRules(FUNCTIONS, consumers) };
}

async function openFolder(
  dataDir: string,
  fresh: boolean,
  cleanup: Cleanup,
  progress: (line: string) => void,
): Promise<DataFolder> {
  const paths = pathsOf(dataDir);
  cleanup.add('data folder', takeFolder(dataDir));
  await endLeftovers(paths);
  rmSync(paths.endpoints, { force: true });
  if (fresh) emptyFolder(paths);
  const elsewhere = keepDatabaseInStep(paths);
  if (elsewhere) progress(`Postgres's data is in ${elsewhere}: its account may not enter ${dataDir}`);
  mkdirSync(paths.logs, { recursive: true });
  return paths;
}
