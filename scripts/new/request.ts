/** The arguments of `npm run new` → the function that is wanted; what cannot be wanted is a UsageError that names the fix. */
import { parseArgs } from 'node:util';
import { UsageError } from '../operate/cli.ts';
import { listContexts } from '../registry/contexts.ts';
import { aggregateOf, EVENTS } from './events.ts';

/** Kind → the function that a new one is made like: its manifests are copied, and it is listed wherever that one is. */
export const MODELS = {
  command: 'deliver-order',
  projector: 'sales-view',
  policy: 'refund-cancelled',
  notifier: 'order-emails',
  http: 'queries-api',
} as const;

const CONTEXTS = await listContexts();

export type NewKind = keyof typeof MODELS;
export type Request = {
  readonly kind: NewKind;
  readonly context: string;
  readonly name: string;
  /** Events that it takes, all of one stream; none for a command and an HTTP function. */
  readonly events: readonly string[];
};

export const usage = `usage: npm run new -- <kind> <context> <name> [--on <event>,…]
  kind     ${Object.keys(MODELS).join(', ')}
  context  ${CONTEXTS.join(', ')}
  name     lower case letters, digits and hyphens, such as order-archive
  --on     the events that a projector, policy or notifier takes, such as order.created,order.paid`;

const NAME = /^[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

const oneOf = (what: string, given: string | undefined, all: readonly string[]): UsageError =>
  new UsageError(`${given ? `there is no ${what} '${given}'` : `which ${what}?`} It is one of ${all.join(', ')}`);

const isKind = (given: string | undefined): given is NewKind => given !== undefined && Object.hasOwn(MODELS, given);

function eventsOf(kind: NewKind, context: string, on: string | undefined): string[] {
  if (kind === 'command' || kind === 'http') {
    if (on === undefined) return [];
    throw new UsageError(`a function of kind ${kind} takes no events: leave out --on`);
  }
  const events = [...new Set((on ?? (context === 'users' ? 'user.created' : 'order.created')).split(','))];
  const unknown = events.find((event) => !EVENTS.includes(event));
  if (unknown !== undefined) throw oneOf('event', unknown, EVENTS);
  if (new Set(events.map(aggregateOf)).size > 1)
    throw new UsageError(`${events.join(' and ')} are in two streams: a function takes events of one; make two of it`);
  if (kind === 'projector' && events.some((event) => aggregateOf(event) !== 'order'))
    throw new UsageError('events of users have no version to order rows by: a projector takes events of orders (--on)');
  return events;
}

/** `taken` are the names that are there already. */
export function readRequest(args: readonly string[], taken: readonly string[]): Request {
  const { positionals, on } = parse(args);
  const [kind, context, name, ...more] = positionals;
  if (!isKind(kind)) throw oneOf('kind', kind, Object.keys(MODELS));
  if (context === undefined || !CONTEXTS.includes(context)) throw oneOf('context', context, CONTEXTS);
  if (name === undefined) throw new UsageError('the name of the function is missing, such as order-archive');
  if (more.length > 0) throw new UsageError(`one function at a time, not also ${more.join(' ')}`);
  if (!NAME.test(name))
    throw new UsageError(`'${name}' cannot be a name: write 2 to 63 lower case letters, digits and hyphens`);
  if (taken.includes(name)) throw new UsageError(`there is a function ${name} already: choose another name`);
  if (name.endsWith('-retries'))
    throw new UsageError(
      `${name} would be the name of a consumer of retries: choose one that does not end in -retries`,
    );
  return { kind, context, name, events: eventsOf(kind, context, on) };
}

function parse(args: readonly string[]): { positionals: readonly string[]; on: string | undefined } {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { on: { type: 'string' } },
    });
    return { positionals, on: values.on };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
