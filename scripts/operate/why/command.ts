/** `millrace why <id>`: what became of an order, an event or an e-mail, what it waited for, and what to do. */
import path from 'node:path';
import { RETRIES } from '../../../functions/runtime/handling/retries.ts';
import { filterOf } from '../../../functions/runtime/messages/message.ts';
import { type ConsumerSpec, readConsumers, readStreams } from '../../platform/manifests/jetstream-yaml.ts';
import { repository } from '../../registry/repository.ts';
import { type Environment, localUrl, natsPlace, readOptions, UsageError } from '../cli.ts';
import { connect } from '../dead-letters/command.ts';
import { accountOf } from './account.ts';
import { readPresent } from './present.ts';
import type { Present } from './state.ts';
import type { Takers } from './entries.ts';
import { textOf } from './text.ts';
import { findInJaeger, findInShop } from './traces.ts';

const OPTIONS = {
  jaeger: { type: 'string' },
  nats: { type: 'string' },
  json: { type: 'boolean' },
} as const;

type Request = {
  readonly about: string;
  readonly jaeger: string | undefined;
  readonly nats: string | undefined;
  readonly json: boolean;
};

/** As it is, or as an e-mail's message-id has it. */
const KEY = /^<?(?<key>[\w.:-]{1,200})(@millrace>)?$/;

function readRequest(args: readonly string[]): Request {
  const { values, positionals } = readOptions(args, OPTIONS);
  const [given, ...more] = positionals;
  if (given === undefined) throw new UsageError('why needs the id of an order or of an event, or the key of an e-mail');
  if (more.length > 0) throw new UsageError(`why takes one id at a time, not also ${more.join(' ')}`);
  const about = KEY.exec(given)?.groups?.key;
  if (about === undefined)
    throw new UsageError('an id or key has letters, digits, and . : _ - alone; an address of somebody is none');
  const { jaeger, nats, json = false } = values;
  if (jaeger !== undefined && !(URL.canParse(jaeger) && /^https?:\/\//.test(jaeger)))
    throw new UsageError('--jaeger must be a URL such as http://127.0.0.1:16686');
  return { about, jaeger, nats, json };
}

/** Those of functions for what is new to them. */
function consumersOfShop(): ConsumerSpec[] {
  const streams = readStreams(path.join(repository, 'infra/nats/streams.yaml'));
  const consumers = readConsumers(path.join(repository, 'knative/functions'), streams);
  return consumers.filter(({ streamName }) => streamName !== RETRIES);
}

const takersAmong =
  (consumers: readonly ConsumerSpec[]): Takers =>
  (type) =>
    consumers
      .filter(({ filterSubjects }) => filterSubjects.includes(filterOf(type)))
      .map(({ durableName }) => durableName);

/** Undefined, and why in a line on stderr, when NATS cannot be asked: the traces say much without it. */
async function askNats(
  { jaeger, nats }: Request,
  consumers: readonly ConsumerSpec[],
  environment: Environment,
): Promise<Present | undefined> {
  // The traces of elsewhere are not about the NATS of this machine.
  if (jaeger !== undefined && nats === undefined && !environment.NATS_URL) return undefined;
  const closers: (() => Promise<void> | void)[] = [];
  try {
    const bus = await connect(natsPlace(nats, environment), (close) => closers.push(close));
    return await readPresent(bus, consumers);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    console.error(`where it stands is told from traces alone: ${error instanceof Error ? error.message : error}`);
    return undefined;
  } finally {
    for (const close of closers) await close();
  }
}

const notKept = (about: string): Error =>
  new Error(
    `no trace of ${about} is kept: it is no id of an order or event and no key of an e-mail, it is too old, ` +
      'or its trace was not among those that are kept',
  );

export async function whyCommand(args: readonly string[], environment: Environment = process.env): Promise<void> {
  const request = readRequest(args);
  const { about, jaeger, json } = request;
  const found = jaeger
    ? await findInJaeger(jaeger, about)
    : await findInShop(localUrl('http', 'shop', '--jaeger', environment), about);
  if (!found) throw notKept(about);
  const consumers = consumersOfShop();
  const present = await askNats(request, consumers, environment);
  const now = Date.now();
  const orderId = found.by === 'order' ? about : '';
  const account = accountOf(found.spans, takersAmong(consumers), present, now, orderId);
  if (!account) throw notKept(about);
  console.log(json ? JSON.stringify({ asked: { by: found.by, value: about }, ...account }) : textOf(account, now));
}
