/** Where the local shop's parts are → the environment of one function; user-service's key is its alone. Pure. */
import type { Endpoints, Ports } from './endpoints.ts';

export type Surroundings = {
  readonly endpoints: Endpoints;
  /** By the function that they are for; those that need no database have none. */
  readonly databaseUrls: Readonly<Record<string, string>>;
  readonly ports: Ports;
  readonly smtpUrl: string;
  /** A file. */
  readonly signingKey: string;
  /** User of NATS → the file with its seed. */
  readonly seedFiles: Readonly<Record<string, string>>;
  /** A folder. */
  readonly compileCache: string;
  /** Where traces and metrics are sent to. */
  readonly otlpUrl: string;
};

export function environmentOf(name: string, around: Surroundings): Readonly<Record<string, string>> {
  const { endpoints, ports, smtpUrl, signingKey, compileCache } = around;
  const databaseUrl = around.databaseUrls[name];
  const seedFile = around.seedFiles[name];
  const common = {
    HOST: '127.0.0.1',
    PORT: '0',
    NODE_ENV: 'production',
    NODE_COMPILE_CACHE: compileCache,
    OTEL_EXPORTER_OTLP_ENDPOINT: around.otlpUrl,
    TZ: 'UTC',
    NATS_URL: endpoints.nats,
    ...(seedFile ? { NATS_SEED_FILE: seedFile } : {}),
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
    // Of Postgres's 200: enough for every function at its most replicas.
    DATABASE_CONNECTIONS: '4',
    USER_SERVICE_ADDRESS: endpoints.grpc,
    SMTP_URL: smtpUrl,
    SHOP_URL: endpoints.http,
    // Nobody else can reach this machine, and partners are tried out on it.
    WEBHOOK_ALLOW_LOOPBACK: 'true',
    // The front door.
    TRUSTED_PROXIES: '127.0.0.1',
  };
  if (name !== 'user-service') return common;
  return { ...common, SIGNING_KEY_FILE: signingKey, GRPC_PORT: String(ports.grpc) };
}
