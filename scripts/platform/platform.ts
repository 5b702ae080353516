/** A data folder and wanted ports → the whole shop running on this machine, from the project's own YAML; stopped without a trace. */

import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { aggregatesOf, readContexts } from '../registry/contexts.ts';
import { NACK, type NatsUser, OPERATOR } from '../registry/nats-users/permissions.ts';
import { buildFunctions } from '../ship/build.ts';
import { type Demo, seedAccounts, seedProducts } from '../shop/seed.ts';
import { type Cleanup, openCleanup, together } from './cleanup.ts';
import { type Client, openClient } from './client.ts';
import { openConsole } from './console/console.ts';
import { countDeadLetters } from './console/dead-letters.ts';
import { buildPages, type Pages } from './console/pages.ts';
import { type DataFolder, emptyFolder, endLeftovers, keepDatabaseInStep, pathsOf, takeFolder } from './data-folder.ts';
import { choosePorts, type Endpoints, endpointsOf, type Ports } from './endpoints.ts';
import { environmentOf } from './function-environment.ts';
import { openFrontDoor } from './gateway/gateway.ts';
import { FUNCTIONS, readConsumers, readShopStreams } from './manifests/jetstream-yaml.ts';
import { applyJetstream, asBegun } from './manifests/nack.ts';
import { type Rule, readRules } from './manifests/rules.ts';
import { type Fleet, openFleet } from './scaling/fleet.ts';
import { type Mailbox, openMailbox } from './servers/mailbox.ts';
import { openNatsKeys, withBusAs } from './servers/nats-keys.ts';
import { openLogins } from './servers/postgres-logins.ts';
import { signingKeyFile, writePrivate } from './servers/secrets.ts';
import { type Servers, startServers } from './servers/servers.ts';
import { openMetrics } from './telemetry/metrics.ts';
import { openPlatformMetrics } from './telemetry/platform-metrics.ts';
import { openTelemetry, type Telemetry, telemetryElsewhere } from './telemetry/telemetry.ts';

export type { Demo } from '../shop/seed.ts';
export { ANY_PORTS, type Endpoints, type Ports } from './endpoints.ts';

export type PlatformOptions = {
  readonly dataDir: string;
  /** Wanted ones; a port that is taken is replaced by a free one. */
  readonly ports: Ports;
  /** Begins with empty data. */
  readonly fresh?: boolean;
  readonly progress?: (line: string) => void;
  /** Users of NATS besides those of the shop; their seeds are with the others'. */
  readonly natsUsers?: readonly NatsUser[];
  /** More environment, for every function; with OTEL_EXPORTER_OTLP_ENDPOINT no trace and no metric is kept here. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A command that starts the program named after it: nats-server. */
  readonly natsLauncher?: readonly string[];
  /** Changes the rule of a function: how many replicas it has, say. */
  readonly ruleOf?: (rule: Rule) => Rule;
  /** Ends a start that is under way. */
  readonly signal?: AbortSignal;
};
export type Platform = {
  readonly endpoints: Endpoints;
  readonly ports: Ports;
  readonly demo: Demo;
  readonly logs: string;
  /** The file with the key by which a person speaks to NATS. */
  readonly natsKey: string;
  /** Drains and stops everything, last started first; resolves to the problems met. */
  stop(): Promise<readonly string[]>;
  /** Ends every process at once. */
  kill(): void;
};

export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const cleanup = openCleanup();
  try {
    return await start({ ...options, dataDir: path.resolve(options.dataDir) }, cleanup);
  } catch (error) {
    await cleanup.unwind();
    throw error;
  }
}

async function start(options: PlatformOptions, cleanup: Cleanup): Promise<Platform> {
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
  const [servers, bundles, pages, signingKey] = await together(
    startServers(paths, ports, access, cleanup, progress, options.natsLauncher),
    buildFunctions(),
    buildPages(),
    signingKeyFile(paths.secrets),
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
  const secrets = { databaseUrls, signingKey, seedFiles };
  const surroundings = { endpoints, ports, smtpUrl: mailbox.url, otlpUrl: telemetry.url, compileCache, ...secrets };
  const environment = (name: string) => ({ ...environmentOf(name, surroundings), ...options.environment });
  const fleet = openFleet({ bundles, rules, environment, logs: paths.logs });
  cleanup.add('services', fleet.stopServices);
  cleanup.add('functions', fleet.stopFunctions);
  await fleet.startServices();
  progress('user-service is ready');
  await seedProducts(client.database);
  const demo = await seedAccounts(paths.demo, client.database, client.users);
  signal?.throwIfAborted();

  fleet.startScaling(openMetrics(endpoints.natsMonitor, client.database));
  cleanup.add('scaling', fleet.stopScaling);
  const { url: endpoint } = telemetry;
  const metrics = openPlatformMetrics({ endpoint, rules, states: fleet.states, ...client });
  cleanup.add('metrics of the platform', metrics.close);
  await openDoor({ ports, fleet, servers, client, mailbox, telemetry, pages, cleanup });
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

type Door = {
  readonly ports: Ports;
  readonly fleet: Fleet;
  readonly servers: Servers;
  readonly client: Client;
  readonly mailbox: Mailbox;
  readonly telemetry: Telemetry;
  readonly pages: Pages;
  readonly cleanup: Cleanup;
};

async function openDoor({ ports, fleet, servers, client, mailbox, telemetry, pages, cleanup }: Door): Promise<void> {
  const { bus, database } = client;
  const { points, spansOf } = telemetry;
  const counts = async () => ({ deadLetters: await countDeadLetters(bus), mails: mailbox.list().length });
  const aggregates = Object.entries(aggregatesOf(await readContexts())).map(([name, { aggregate }]) => ({
    name,
    aggregate,
  }));
  const shown = { bus, database, aggregates, states: fleet.states, points, spansOf, mails: mailbox.list, counts };
  const console = openConsole(pages, shown);
  const door = await openFrontDoor({
    port: ports.http,
    queries: fleet.http('queries-api'),
    commands: fleet.http('commands-api'),
    events: fleet.http('event-ingress'),
    notReady: () => [
      ...(servers.postgres.running() ? [] : ['Postgres does not run']),
      ...(servers.nats.running() && client.bus.connected() ? [] : ['NATS does not run']),
      ...fleet.notReady(),
    ],
    mail: mailbox.list,
    functions: fleet.states,
    telemetry,
    console,
  });
  cleanup.add('front door', door.close);
  // The door closes once all have left it, and pages that listen stay until they are sent away.
  cleanup.add('console', console.close);
}
