/** Environment → typed settings. The only reader of process.env; everything wrong is reported in one message. */
import { readFileSync } from 'node:fs';

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

const fileContent: Parser<string> = (raw) => {
  try {
    return readFileSync(raw, 'utf8');
  } catch (error) {
    throw new Error(`names a file that cannot be read (${error instanceof Error ? error.message : error})`);
  }
};

const PARSERS = {
  HOST: text,
  PORT: integer(0, 65535),
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
  DRAIN_SECONDS: integer(1, 600),
  NATS_URL: url('nats:', 'tls:'),
  DATABASE_URL: url('postgres:', 'postgresql:'),
  DATABASE_CONNECTIONS: integer(1, 100),
  USER_SERVICE_ADDRESS: hostAndPort,
  GRPC_PORT: integer(0, 65535),
  SIGNING_KEY_FILE: fileContent,
  SMTP_URL: url('smtp:', 'smtps:'),
  MAIL_FROM: text,
  PAYMENT_WINDOW_SECONDS: integer(1, 2_592_000),
} satisfies Record<string, Parser<unknown>>;

const DEFAULTS: Partial<Record<Setting, string>> = {
  HOST: '0.0.0.0',
  PORT: '8080',
  LOG_LEVEL: 'info',
  DRAIN_SECONDS: '25',
  DATABASE_CONNECTIONS: '8',
  GRPC_PORT: '50051',
  MAIL_FROM: 'Millrace <shop@millrace.example>',
  PAYMENT_WINDOW_SECONDS: '1800',
};

/** Settings that every function has. */
const ALWAYS = ['HOST', 'PORT', 'LOG_LEVEL', 'DRAIN_SECONDS'] as const;

export type Setting = keyof typeof PARSERS;
export type Settings<Need extends Setting> = {
  readonly [Name in Need | (typeof ALWAYS)[number]]: ReturnType<(typeof PARSERS)[Name]>;
};

export class ConfigError extends Error {}

/** The settings named in `needs` plus those every function has. Throws one ConfigError that lists all that is wrong. */
export function readSettings<Need extends Setting>(
  needs: readonly Need[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Settings<Need> {
  const problems: string[] = [];
  const settings: Partial<Record<Setting, unknown>> = {};
  for (const name of new Set<Setting>([...ALWAYS, ...needs])) {
    const raw = environment[name] || DEFAULTS[name];
    if (raw === undefined) {
      problems.push(`${name} is not set`);
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
