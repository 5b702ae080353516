/** Where the platform's parts are, and what the application sets → the environment of one function, without the settings of others. Pure. */
import type { Bundle } from '../ship/build.ts';
import type { Endpoints, Ports } from './servers/endpoints.ts';

export type Surroundings = {
  readonly endpoints: Endpoints;
  readonly ports: Ports;
  /** By the function that they are for; those that need no database have none. */
  readonly databaseUrls: Readonly<Record<string, string>>;
  /** User of NATS → the file with its seed. */
  readonly seedFiles: Readonly<Record<string, string>>;
  /** A folder. */
  readonly compileCache: string;
  /** Where traces and metrics are sent to. */
  readonly otlpUrl: string;
  /** Of the application. */
  readonly settings: Readonly<Record<string, string>>;
};

export function environmentOf(
  { name, settings: declared }: Pick<Bundle, 'name' | 'settings'>,
  { endpoints, ports, databaseUrls, seedFiles, compileCache, otlpUrl, settings }: Surroundings,
): Readonly<Record<string, string>> {
  const databaseUrl = databaseUrls[name];
  const seedFile = seedFiles[name];
  const possible = {
    ...settings,
    NATS_URL: endpoints.nats,
    ...(seedFile ? { NATS_SEED_FILE: seedFile } : {}),
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
    // Of Postgres's 200: enough for every function at its most replicas.
    DATABASE_CONNECTIONS: '4',
    GRPC_PORT: String(ports.grpc),
    // The gateway.
    TRUSTED_PROXIES: '127.0.0.1',
  };
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    NODE_ENV: 'production',
    NODE_COMPILE_CACHE: compileCache,
    OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl,
    TZ: 'UTC',
    ...Object.fromEntries(Object.entries(possible).filter(([setting]) => setting in declared)),
  };
}
