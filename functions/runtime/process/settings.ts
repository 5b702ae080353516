/** Environment and mounted files → typed settings. The only reader of process.env; all that is wrong is said in one message. */
import { existsSync } from 'node:fs';
import { readProxies } from '../http/client-address.ts';
import {
  databaseUrl,
  filePath,
  hostAndPort,
  integer,
  oneOf,
  type Parser,
  secondsList,
  seedFile,
  text,
  url,
} from '../settings.ts';
import { hasSecret, type Renewed, readSecret, renewed } from './secrets.ts';

const PARSERS = {
  HOST: text,
  PORT: integer(0, 65535),
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
  DRAIN_SECONDS: integer(1, 600),
  DELIVERY: oneOf('pull', 'push'),
  NATS_URL: url('nats:', 'tls:'),
  SECRETS_FOLDER: text,
  NATS_SEED_FILE: seedFile,
  DATABASE_URL: databaseUrl,
  DATABASE_CONNECTIONS: integer(1, 100),
  USER_SERVICE_ADDRESS: hostAndPort,
  GRPC_PORT: integer(0, 65535),
  SIGNING_KEY_FILE: filePath,
  SIGN_UPS_PER_ADDRESS: integer(1, 1_000_000),
  SMTP_URL: url('smtp:', 'smtps:'),
  MAIL_FROM: text,
  PAYMENT_WINDOW_SECONDS: integer(1, 2_592_000),
  SHOP_URL: url('http:', 'https:'),
  WEBHOOK_ALLOW_LOOPBACK: oneOf('true', 'false'),
  WEBHOOK_RETRY_SECONDS: secondsList,
  TRUSTED_PROXIES: readProxies,
  GRPC_TLS_CERT_FILE: filePath,
  GRPC_TLS_KEY_FILE: filePath,
  GRPC_TLS_CA_FILE: filePath,
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:'),
} satisfies Record<string, Parser<unknown>>;

const DEFAULTS: Partial<Record<Setting | Optional, string>> = {
  HOST: '0.0.0.0',
  PORT: '8080',
  SECRETS_FOLDER: '/var/run/secrets/millrace',
  LOG_LEVEL: 'info',
  DRAIN_SECONDS: '25',
  DELIVERY: 'pull',
  DATABASE_CONNECTIONS: '8',
  GRPC_PORT: '50051',
  MAIL_FROM: 'Millrace <shop@millrace.example>',
  PAYMENT_WINDOW_SECONDS: '1800',
  SIGN_UPS_PER_ADDRESS: '20',
  WEBHOOK_ALLOW_LOOPBACK: 'false',
  WEBHOOK_RETRY_SECONDS: '5,30,120,600,1800,3600,10800,21600,43200',
  TRUSTED_PROXIES: '',
};

/** Every setting there is → its default, or undefined. */
export const SETTINGS: Readonly<Record<string, string | undefined>> = Object.fromEntries(
  Object.keys(PARSERS).map((name) => [name, DEFAULTS[name as keyof typeof PARSERS]]),
);

/** Settings that every function has. */
const ALWAYS = ['HOST', 'PORT', 'LOG_LEVEL', 'DRAIN_SECONDS', 'DELIVERY', 'SECRETS_FOLDER'] as const;

/** Secrets that may be replaced while the function runs. */
const RENEWED = ['DATABASE_URL', 'SMTP_URL'] as const;

/** All of them or none. */
const TLS = ['GRPC_TLS_CERT_FILE', 'GRPC_TLS_KEY_FILE', 'GRPC_TLS_CA_FILE'] as const;

/** Settings that every function may have; undefined when not set. */
const OPTIONAL = [...TLS, 'NATS_SEED_FILE', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;

type Optional = (typeof OPTIONAL)[number];
export type Setting = Exclude<keyof typeof PARSERS, Optional>;
export type Settings<Need extends Setting> = {
  readonly [Name in Need | (typeof ALWAYS)[number]]: Name extends (typeof RENEWED)[number]
    ? Renewed
    : ReturnType<(typeof PARSERS)[Name]>;
} & { readonly [Name in Optional]: ReturnType<(typeof PARSERS)[Name]> | undefined };

const isTls = (name: Setting | Optional): boolean => TLS.some((each) => each === name);

const isRenewed = (name: Setting | Optional): name is (typeof RENEWED)[number] => RENEWED.some((each) => each === name);

export class ConfigError extends Error {}

/**
 * The settings named in `needs` plus those every function has or may have: from the environment, else from the file of
 * that name in SECRETS_FOLDER. Throws one ConfigError that lists all that is wrong.
 */
export function readSettings<Need extends Setting>(
  needs: readonly Need[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Settings<Need> {
  const folder = environment.SECRETS_FOLDER || String(DEFAULTS.SECRETS_FOLDER);
  const mounted = existsSync(folder);
  const secret = (name: string): string | undefined => (mounted ? readSecret(folder, name) : undefined);
  const required = new Set<Setting | Optional>([...ALWAYS, ...needs]);
  if (TLS.some((name) => environment[name] || (mounted && hasSecret(folder, name))))
    for (const name of TLS) required.add(name);

  const read = (name: Setting | Optional): unknown => {
    const raw = environment[name] || secret(name) || DEFAULTS[name];
    if (raw !== undefined) {
      const value = PARSERS[name](raw);
      return isRenewed(name) ? renew(name, String(value), environment[name] ? undefined : folder) : value;
    }
    if (!required.has(name)) return undefined;
    throw new Error(`is not set${isTls(name) ? `; ${TLS.join(', ')} go together` : ''}`);
  };

  const problems: string[] = [];
  const settings: Partial<Record<Setting | Optional, unknown>> = {};
  for (const name of new Set([...required, ...OPTIONAL])) {
    try {
      settings[name] = read(name);
    } catch (error) {
      problems.push(`${name} ${error instanceof Error ? error.message : error}`);
    }
  }
  if (problems.length > 0)
    throw new ConfigError(`The environment is not complete:\n${problems.map((line) => `  - ${line}`).join('\n')}`);
  return settings as Settings<Need>;
}

/** Without a folder it comes from the environment, and stays as it is. */
const renew = (name: (typeof RENEWED)[number], value: string, folder: string | undefined): Renewed =>
  folder === undefined
    ? () => value
    : renewed(name, value, () => {
        const raw = readSecret(folder, name);
        if (!raw) throw new Error('is not set any more');
        return PARSERS[name](raw);
      });
