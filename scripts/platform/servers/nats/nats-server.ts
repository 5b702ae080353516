/** A nats-server program and a store folder → a running server with JetStream on 127.0.0.1; by default every write is synced before it is acknowledged. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ACCOUNT } from '../../../registry/nats-users/accounts-conf.ts';
import { type Exit, launch, stopLeftover } from '../server-process.ts';

export type NatsServer = {
  url: string;
  monitorUrl: string;
  pid: number;
  port: number;
  monitorPort: number;
  logFile: string;
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  exited: Promise<Exit>;
  /** False as well when a stream of it takes no messages, as after a write to a full disk: only a restart ends that. */
  healthy(): Promise<boolean>;
};
export type NatsServerOptions = {
  binary: string;
  port: number;
  monitorPort: number;
  /** Holds everything of the server: streams, configuration, log and pid file. */
  storeDir: string;
  logFile?: string;
  syncAlways?: boolean;
  /** A command that starts the program named after it. */
  launcher?: readonly string[];
  /** Who may do what. Without it anybody may do anything. */
  access?: NatsAccess;
};
/** Accounts as a configuration, and the variables in it. */
export type NatsAccess = { conf: string; environment: Readonly<Record<string, string>> };

const startTimeoutMs = 10_000;
const stopSteps = [{ signal: 'SIGTERM', graceMs: 5_000 }] as const;
const mebibyte = 1024 * 1024;
const anybody = { user: 'anybody', password: 'anything' };

type NatsPlace = Omit<NatsServerOptions, 'binary'> & {
  readonly host: string;
  /** What only this server has. */
  readonly own?: object;
};

/** The configuration of a server, wherever it runs; `accounts.conf` beside it is that of `access`. */
export function natsConfig({ host, port, monitorPort, storeDir, syncAlways, access, own }: NatsPlace): string {
  const settings = {
    host,
    port,
    http: `${host}:${monitorPort}`,
    ...own,
    max_payload: mebibyte,
    jetstream: {
      store_dir: storeDir,
      max_memory_store: 256 * mebibyte,
      max_file_store: 10_240 * mebibyte,
      ...(syncAlways === false ? {} : { sync_interval: 'always' }),
    },
    ...(access ? {} : { accounts: { [ACCOUNT]: { jetstream: 'enabled', users: [anybody] } } }),
    ...(access ? {} : { no_auth_user: anybody.user }),
  };
  const text = JSON.stringify(settings, null, 2);
  return access ? text.replace('{', '{\n  include "accounts.conf"') : text;
}

export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const { port, monitorPort } = options;
  const storeDir = path.resolve(options.storeDir);
  const configFile = path.join(storeDir, 'nats.conf');
  const pidFile = path.join(storeDir, 'nats.pid');
  const logFile = options.logFile ?? path.join(storeDir, 'nats.log');
  mkdirSync(storeDir, { recursive: true });
  if (existsSync(pidFile)) await stopLeftover(Number(readFileSync(pidFile, 'utf8')), configFile, stopSteps);

  keepEarlierStreams(path.join(storeDir, 'jetstream'));

  const serverName = `millrace-${randomBytes(6).toString('hex')}`;
  const own = { server_name: serverName, pid_file: pidFile };
  if (options.access) writeFileSync(path.join(storeDir, 'accounts.conf'), options.access.conf);
  writeFileSync(configFile, natsConfig({ ...options, storeDir, host: '127.0.0.1', own }));
  const [program = options.binary, ...args] = [...(options.launcher ?? []), options.binary, '-c', configFile];
  const server = await launch({
    name: 'nats-server',
    program,
    args,
    logFile,
    stopSteps,
    ...(options.access ? { env: { ...process.env, ...options.access.environment } } : {}),
  });
  const monitorUrl = `http://127.0.0.1:${monitorPort}`;
  const healthy = () => isReady(monitorUrl, serverName);
  await server.waitUntilReady(healthy, startTimeoutMs);
  const { pid, stop, kill, exited } = server;
  return { url: `nats://127.0.0.1:${port}`, monitorUrl, pid, port, monitorPort, logFile, stop, kill, exited, healthy };
}

/** Streams of a version that had no accounts are in that of nobody in particular. */
function keepEarlierStreams(folder: string): void {
  const [before, now] = [path.join(folder, '$G'), path.join(folder, ACCOUNT)];
  if (!existsSync(before)) return;
  if (existsSync(now)) throw new Error(`${before} is of an earlier version than ${now}: remove one, or begin empty`);
  renameSync(before, now);
}

/** The name tells our server from another one that has the port already. */
async function isReady(monitorUrl: string, serverName: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(1_000);
    const health = await fetch(`${monitorUrl}/healthz`, { signal });
    const answer: unknown = await health.json();
    if (!health.ok || !isRecord(answer) || answer.status !== 'ok') return false;
    const state: unknown = await (await fetch(`${monitorUrl}/varz`, { signal })).json();
    if (!isRecord(state) || state.server_name !== serverName) return false;
    return isRecord(state.jetstream) && isRecord(state.jetstream.config);
  } catch {
    return false;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
