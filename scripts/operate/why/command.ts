/** `millrace why <id>`: what became of an aggregate, a command, an event or a notification, what it waited for, and what to do. */
import pg from 'pg';
import { RETRIES } from '../../../functions/runtime/handling/retries.ts';
import { filterOf } from '../../../functions/runtime/messages/message.ts';
import { type Environment, localUrl, natsPlace, readOptions, serverUrl, UsageError } from '../../cli/cli.ts';
import { type ConsumerSpec, readShopConsumers } from '../../manifests/jetstream-yaml.ts';
import { readContexts } from '../../registry/contexts.ts';
import { readDefinitions } from '../../registry/functions.ts';
import { connect } from '../dead-letters/command.ts';
import { accountOf } from './account.ts';
import type { Functions } from './entries.ts';
import { findHistory, type History } from './history.ts';
import { readPresent } from './present.ts';
import type { Present } from './state.ts';
import { textOf } from './text.ts';
import { type Found, findInJaeger, findInPlatform, subjectAmong } from './traces.ts';
import { untracedAccount } from './untraced.ts';

const OPTIONS = {
  database: { type: 'string' },
  jaeger: { type: 'string' },
  nats: { type: 'string' },
  json: { type: 'boolean' },
} as const;

type Request = {
  readonly about: string;
  readonly database: string | undefined;
  readonly jaeger: string | undefined;
  readonly nats: string | undefined;
  readonly json: boolean;
};

/** As it is, or as an e-mail's message-id has it. */
const KEY = /^<?(?<key>[\w.:-]{1,200})(@millrace)?>?$/;

function readRequest(args: readonly string[]): Request {
  const { values, positionals } = readOptions(args, OPTIONS);
  const [given, ...more] = positionals;
  if (given === undefined)
    throw new UsageError(
      'why needs an id: of an aggregate (its subject), a command or an event, or the key of a notification',
    );
  if (more.length > 0) throw new UsageError(`why takes one id at a time, not also ${more.join(' ')}`);
  const about = KEY.exec(given)?.groups?.key;
  if (about === undefined)
    throw new UsageError('an id or key has letters, digits, and . : _ - alone; an address of somebody is none');
  const { database, jaeger, nats, json = false } = values;
  if (jaeger !== undefined && !(URL.canParse(jaeger) && /^https?:\/\//.test(jaeger)))
    throw new UsageError('--jaeger must be a URL such as http://127.0.0.1:16686');
  return { about, database, jaeger, nats, json };
}

/** Those of functions for what is new to them. */
const declaredConsumers = (): ConsumerSpec[] => readShopConsumers().filter(({ streamName }) => streamName !== RETRIES);

async function readFunctions(consumers: readonly ConsumerSpec[]): Promise<Functions> {
  const definitions = await readDefinitions();
  const notifiers = new Set(definitions.filter(({ kind }) => kind === 'notifier').map(({ name }) => name));
  return {
    consumersOf: (type) =>
      consumers
        .filter(({ filterSubjects }) => filterSubjects.includes(filterOf(type)))
        .map(({ durableName }) => durableName),
    notifies: (name) => notifiers.has(name),
  };
}

/** The traces of elsewhere are not about the servers of this machine: then only those that are named are asked. */
const isNamed = ({ jaeger }: Request, given: string | undefined, variable: string | undefined): boolean =>
  jaeger === undefined || Boolean(given || variable);

async function askNats(
  request: Request,
  consumers: readonly ConsumerSpec[],
  environment: Environment,
): Promise<Present | undefined> {
  if (!isNamed(request, request.nats, environment.NATS_URL)) return undefined;
  const closers: (() => Promise<void> | void)[] = [];
  try {
    const bus = await connect(natsPlace(request.nats, environment), (close) => closers.push(close));
    return await readPresent(bus, consumers);
  } finally {
    for (const close of closers) await close();
  }
}

async function askPostgres(request: Request, subject: string, environment: Environment): Promise<History | undefined> {
  if (!isNamed(request, request.database, environment.DATABASE_URL)) return undefined;
  const connectionString = serverUrl('postgres', request.database, environment);
  const database = new pg.Pool({ connectionString, max: 1, application_name: 'millrace-why', query_timeout: 10_000 });
  database.on('error', () => undefined);
  try {
    const contexts = await readContexts();
    const aggregates = contexts.flatMap(({ aggregates = [] }) => aggregates.map(({ aggregate }) => aggregate));
    return await findHistory(database, aggregates, subject);
  } finally {
    await database.end();
  }
}

const askTraces = ({ about, jaeger }: Request, environment: Environment): Promise<Found | undefined> =>
  jaeger ? findInJaeger(jaeger, about) : findInPlatform(localUrl('http', 'platform', '--jaeger', environment), about);

const NOT_KEPT =
  'it is no id of an aggregate, a command or an event and no key of a notification, it is too old, ' +
  'or its trace was not among those that are kept';

export async function whyCommand(args: readonly string[], environment: Environment = process.env): Promise<void> {
  const request = readRequest(args);
  const { about, database, nats, json } = request;
  if (database !== undefined) serverUrl('postgres', database, environment);
  if (nats !== undefined) natsPlace(nats, environment);
  const failures: unknown[] = [];
  /** Undefined when one of them cannot be asked: the others say much without it. */
  const unlessItFails = async <Answer>(asking: Promise<Answer>): Promise<Answer | undefined> =>
    asking.catch((error: unknown) => {
      failures.push(error);
      return undefined;
    });
  const found = await unlessItFails((async () => askTraces(request, environment))());
  const subject = found ? subjectAmong(found, about) : about;
  const history = await unlessItFails(askPostgres(request, subject, environment));
  if (!found && !history) throw failures[0] ?? new Error(`no trace of ${about} is kept: ${NOT_KEPT}`);
  const consumers = declaredConsumers();
  const present = await unlessItFails(askNats(request, consumers, environment));
  for (const failure of failures)
    console.error(`not asked: ${failure instanceof Error ? failure.message : String(failure)}`);
  const now = Date.now();
  const traced =
    found && accountOf(found.spans, await readFunctions(consumers), present, now, found.by === 'subject' ? about : '');
  const account = traced ?? (history && untracedAccount(history, present, now));
  if (!account) throw new Error(`no trace of ${about} is kept: ${NOT_KEPT}`);
  const asked = { by: found?.by ?? 'history', value: about };
  console.log(json ? JSON.stringify({ asked, ...account, history }) : textOf(account, now, history));
}
