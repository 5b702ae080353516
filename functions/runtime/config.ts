/** Environment → typed settings. The only reader of process.env; everything wrong is reported in one message. */
import { readFileSync } from 'node:fs';
import { readProxies } from './client-address.ts';

type Parser<T> = (raw: string) => T;

const text: Parser<string> = (raw) => raw;

const url =
  (...schemes: string[]): Parser<string> =>
  (raw) => {
    if (!URL.canParse(raw)) throw new Error(`is not a URL; write it as ${schemes[0]}//host:port`);
    if (!schemes.includes(new URL(raw).protocol)) throw new Error(`must begin with ${schemes.join(' or ')}//`);
    return raw;
  };

const hostAndPort: Parser<string> = (raw) => {
  if (!/^[^\s/]+:\d+$/.test(raw)) throw new Error('is not an address; write it as host:port');
  return raw;
};

const integer =
  (min: number, max: number): Parser<number> =>
  (raw) => {
    const value = Number(raw);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new Error(`must be a whole number from ${min} to ${max}, not '${raw}'`);
    return value;
  };

const oneOf =
  <T extends string>(...values: T[]): Parser<T> =>
  (raw) => {
    const value = values.find((candidate) => candidate === raw);
    if (value === undefined) throw new Error(`must be one of ${values.join(', ')}, not '${raw}'`);
    return value;
  };

/** The path of a file that can be read: for what may change while the function runs. */
const filePath: Parser<string> = (raw) => {
  try {
    readFileSync(raw);
    return raw;
  } catch (error) {
    throw new Error(`names a file that cannot be read (${error instanceof Error ? error.message : error})`);
  }
};

const PARSERS = {
  HOST: text,
  PORT: integer(0, 65535),
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
  DRAIN_SECONDS: integer(1, 600),
  DELIVERY: oneOf('pull', 'push'),
  NATS_URL: url('nats:', 'tls:'),
  DATABASE_URL: url('postgres:', 'postgresql:'),
  DATABASE_CONNECTIONS: integer(1, 100),
  USER_SERVICE_ADDRESS: hostAndPort,
  GRPC_PORT: integer(0, 65535),
  SIGNING_KEY_FILE: filePath,
  SIGN_UPS_PER_ADDRESS: integer(1, 1_000_000),
  SMTP_URL: url('smtp:', 'smtps:'),
  MAIL_FROM: text,
  PAYMENT_WINDOW_SECONDS: integer(1, 2_592_000),
  SHOP_URL: url('http:', 'https:'),
  TRUSTED_PROXIES: readProxies,
  GRPC_TLS_CERT_FILE: filePath,
  GRPC_TLS_KEY_FILE: filePath,
  GRPC_TLS_CA_FILE: filePath,
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:'),
} satisfies Record<string, Parser<unknown>>;

const DEFAULTS: Partial<Record<Setting | Optional, string>> = {
  HOST: '0.0.0.0',
  PORT: '8080',
  LOG_LEVEL: 'info',
  DRAIN_SECONDS: '25',
  DELIVERY: 'pull',
  DATABASE_CONNECTIONS: '8',
  GRPC_PORT: '50051',
  MAIL_FROM: 'Millrace <shop@millrace.example>',
  PAYMENT_WINDOW_SECONDS: '1800',
  SIGN_UPS_PER_ADDRESS: '20',
  TRUSTED_PROXIES: '',
};

/** Every setting there is → its default, or undefined. */
export const SETTINGS: Readonly<Record<string, string | undefined>> = Object.fromEntries(
  Object.keys(PARSERS).map((name) => [name, DEFAULTS[name as keyof typeof PARSERS]]),
);

/** Settings that every function has. */
const ALWAYS = ['HOST', 'PORT', 'LOG_LEVEL', 'DRAIN_SECONDS', 'DELIVERY'] as const;

/** All of them or none. */
const TLS = ['GRPC_TLS_CERT_FILE', 'GRPC_TLS_KEY_FILE', 'GRPC_TLS_CA_FILE'] as const;

/** Settings that every function may have; undefined when not set. */
const OPTIONAL = [...TLS, 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;

type Optional = (typeof OPTIONAL)[number];
export type Setting = Exclude<keyof typeof PARSERS, Optional>;
export type Settings<Need extends Setting> = {
  readonly [Name in Need | (typeof ALWAYS)[number]]: ReturnType<(typeof PARSERS)[Name]>;
} & { readonly [Name in Optional]: ReturnType<(typeof PARSERS)[Name]> | undefined };

const isTls = (name: Setting | Optional): boolean => TLS.some((each) => each === name);

export class ConfigError extends Error {}

/** The settings named in `needs` plus those every function has or may have. Throws one ConfigError that lists all that is wrong. */
export function readSettings<Need extends Setting>(
  needs: readonly Need[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Settings<Need> {
  const problems: string[] = [];
  const settings: Partial<Record<Setting | Optional, unknown>> = {};
  const required = new Set<Setting | Optional>([...ALWAYS, ...needs]);
  if (TLS.some((name) => environment[name])) for (const name of TLS) required.add(name);
  for (const name of new Set([...required, ...OPTIONAL])) {
    const raw = environment[name] || DEFAULTS[name];
    if (raw === undefined) {
      if (required.has(name))
        problems.push(`${name} is not set${isTls(name) ? `; ${TLS.join(', ')} go together` : ''}`);
      continue;
    }
    try {
      settings[name] = PARSERS[name](raw);
    } catch (error) {
      problems.push(`${name} ${error instanceof Error ? error.message : error}`);
    }
  }
  if (problems.length > 0)
    throw new ConfigError(`The environment is not complete:\n${problems.map((line) => `  - ${line}`).join('\n')}`);
  return settings as Settings<Need>;
}
