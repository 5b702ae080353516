/** What the commands of `npx millrace` share: the error of a wrong call, and where the shop's servers are. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { type DataFolder, pathsOf } from '../platform/servers/data-folder.ts';
import type { Endpoints } from '../platform/servers/endpoints.ts';
import { natsKeysFolder } from '../platform/servers/nats/nats-keys.ts';
import { seedFileOf } from '../platform/servers/nats/seeds.ts';
import { OPERATOR } from '../registry/nats-users/permissions.ts';
import { repository, shown } from '../registry/repository.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The command line is wrong: the message says what, and how it is used is shown below it. */
export class UsageError extends Error {}

/** The options and other words of a call; throws UsageError for an option that there is not. */
export function readOptions<const Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Throws UsageError when the folder is missing in which --out is to be written. */
export function refuseNowhere(out: string): void {
  const folder = path.dirname(path.resolve(out));
  if (!existsSync(folder)) throw new UsageError(`--out: there is no folder ${folder}; make it first`);
}

const SERVERS = {
  postgres: {
    what: 'database',
    option: '--database',
    variable: 'DATABASE_URL',
    scheme: /^postgres(ql)?:\/\//,
    example: 'postgres://user@host:5432/name',
  },
  nats: {
    what: 'NATS server',
    option: '--nats',
    variable: 'NATS_URL',
    scheme: /^(nats|tls):\/\//,
    example: 'nats://host:4222',
  },
} as const;

/** Where the shop that `npm start` runs keeps its data. */
export const localFolder = (environment: Environment): DataFolder =>
  pathsOf(path.resolve(repository, environment.MILLRACE_DATA || '.local'));

/** Where NATS is, and the file with the key for it, if there is one. */
export type NatsPlace = { readonly url: string; readonly seedFile: string | undefined };

/** As `serverUrl`; the key is that of NATS_SEED_FILE, or the operator's in the shop that `npm start` runs. */
export function natsPlace(given: string | undefined, environment: Environment): NatsPlace {
  const url = serverUrl('nats', given, environment);
  const named = environment.NATS_SEED_FILE;
  if (named || given || environment.NATS_URL) return { url, seedFile: named };
  const { secrets } = localFolder(environment);
  return { url, seedFile: seedFileOf(natsKeysFolder(secrets), OPERATOR.name) };
}

/** The address of a part of the shop that `npm start` runs; throws UsageError, saying how else to name it. */
export function localUrl(part: keyof Endpoints, what: string, instead: string, environment: Environment): string {
  const file = localFolder(environment).endpoints;
  if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as Endpoints)[part];
  throw new UsageError(`which ${what}? ${shown(file)} is not there: start the shop (npm start), or set ${instead}`);
}

/** The URL given, else that of the environment, else that of the shop that `npm start` runs; throws UsageError. */
export function serverUrl(server: keyof typeof SERVERS, given: string | undefined, environment: Environment): string {
  const { what, option, variable, scheme, example } = SERVERS[server];
  const wanted = given ?? environment[variable];
  if (wanted) {
    if (scheme.test(wanted) && URL.canParse(wanted)) return wanted;
    throw new UsageError(`the ${what} must be a URL such as ${example}`);
  }
  return localUrl(server, what, `${option} or ${variable}`, environment);
}

/** A command of `npx millrace`. */
export type Command = {
  readonly usage: string;
  /** What it does, in a line. */
  readonly says: string;
  run(args: readonly string[]): Promise<void>;
};
