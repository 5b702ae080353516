/** The text of a setting → its value; what is wrong is said without the value, which may be a secret. */
import { readFileSync } from 'node:fs';
import { codeOf } from './process/secrets.ts';

export type Parser<T> = (raw: string) => T;

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
