/** What a function declares of a setting: its parser, its default, a line about it. What is wrong is said without the value, which may be a secret. */
import { readFileSync } from 'node:fs';
import type { Log } from './log.ts';

/** The text of a setting → its value; throws what is wrong with it, such as `is not a URL`. */
export type Parser<T> = (raw: string) => T;

/** A secret as it is now, or while that cannot be used the last one that could, which is then logged, once. */
export type Renewed = (log: Pick<Log, 'info' | 'error'>) => string;

export type Setting<Value = unknown> = {
  /** One line, for the table of settings. */
  readonly description: string;
  readonly default: string | undefined;
  /** Without it the function runs all the same. */
  readonly optional: boolean;
  /** It is kept in a Secret, and never in a ConfigMap. */
  readonly secret: boolean;
  /** Names of settings of which all are set, or none. */
  readonly together: readonly string[];
  /** `first` → its value. `again` gives the text as it is later; undefined when it stays. */
  read(name: string, first: string, again: (() => string) | undefined): Value;
};

/** Name, as in the environment → setting. */
export type SettingsOf<Values extends object> = { readonly [Name in keyof Values]: Setting<Values[Name]> };

/** What the operator must mend, said plainly: no stack is shown with it. */
export class ConfigError extends Error {}

const declared = <Value>(description: string, read: Setting<Value>['read'], preset?: string): Setting<Value> => ({
  description,
  default: preset,
  optional: false,
  secret: false,
  together: [],
  read,
});

/** A setting that must be set, unless it has a default: `setting('Seconds until …', integer(1, 600), '25')`. */
export const setting = <Value>(description: string, parse: Parser<Value>, preset?: string): Setting<Value> =>
  declared(description, (_name, first) => parse(first), preset);

/** A setting whose value is undefined when it is not set. */
export const optionalSetting = <Value>(
  description: string,
  parse: Parser<Value>,
  together: readonly string[] = [],
): Setting<Value | undefined> => ({ ...setting(description, parse), optional: true, together });

/** A setting that is a secret: its value may be replaced while the function runs. */
export const secretSetting = (description: string, parse: Parser<string>): Setting<Renewed> => ({
  ...declared(description, (name, first, again) => {
    const value = parse(first);
    return again ? renewed(name, value, () => parse(again())) : () => value;
  }),
  secret: true,
});

function renewed(name: string, first: string, read: () => string): Renewed {
  let good = first;
  let complaint = '';
  return (log) => {
    try {
      const now = read();
      if (now !== good) log.info({ setting: name }, 'a secret was renewed');
      good = now;
      complaint = '';
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== complaint)
        log.error({ setting: name, error: why }, 'a secret cannot be used; the last good one stays');
      complaint = why;
    }
    return good;
  };
}

/** Such as ENOENT; the message of an error could hold what was taken for a path. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';

export const text: Parser<string> = (raw) => raw;

export const url =
  (...schemes: string[]): Parser<string> =>
  (raw) => {
    if (!URL.canParse(raw)) throw new Error(`is not a URL; write it as ${schemes[0]}//host:port`);
    if (!schemes.includes(new URL(raw).protocol)) throw new Error(`must begin with ${schemes.join(' or ')}//`);
    return raw;
  };

/** What pg would only find out when it connects is found out here. */
export const databaseUrl: Parser<string> = (raw) => {
  const { searchParams } = new URL(url('postgres:', 'postgresql:')(raw));
  try {
    decodeURIComponent(raw);
  } catch {
    throw new Error('has a % that begins no escape; write it as %25');
  }
  for (const name of ['sslrootcert', 'sslcert', 'sslkey']) {
    const file = searchParams.get(name);
    if (file !== null) assertReadable(file, `names, as ${name}, a file`);
  }
  return raw;
};

export const hostAndPort: Parser<string> = (raw) => {
  if (!/^[^\s/]+:\d+$/.test(raw)) throw new Error('is not an address; write it as host:port');
  return raw;
};

export const integer =
  (min: number, max: number): Parser<number> =>
  (raw) => {
    const value = Number(raw);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new Error(`must be a whole number from ${min} to ${max}`);
    return value;
  };

/** Such as `5,30,120`: each up to a day. */
export const secondsList: Parser<readonly number[]> = (raw) => {
  const seconds = raw.split(',').map(Number);
  if (seconds.length > 50 || !seconds.every((one) => Number.isInteger(one) && one > 0 && one <= 86_400))
    throw new Error('must be up to 50 whole numbers from 1 to 86400, separated by commas');
  return seconds;
};

export const oneOf =
  <T extends string>(...values: T[]): Parser<T> =>
  (raw) => {
    const value = values.find((candidate) => candidate === raw);
    if (value === undefined) throw new Error(`must be one of ${values.join(', ')}`);
    return value;
  };

function assertReadable(file: string, what: string): void {
  try {
    readFileSync(file);
  } catch (error) {
    throw new Error(`${what} that cannot be read (${codeOf(error)})`);
  }
}

/** The path of a file that can be read: for what may change while the function runs. */
export const filePath: Parser<string> = (raw) => {
  assertReadable(raw, 'names a file');
  return raw;
};

/** The path of a file with the seed of an nkey: the key by which a function is known to NATS. */
export const seedFile: Parser<string> = (raw) => {
  const seed = readFileSync(filePath(raw), 'utf8').trim();
  if (!/^SU[A-Z2-7]{56}$/.test(seed)) throw new Error('names a file that holds no seed of an nkey (SU…)');
  return raw;
};
