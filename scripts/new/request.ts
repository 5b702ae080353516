/** The arguments of `npm run new` → what is wanted; what cannot be wanted is a UsageError that names the fix. Pure. */
import { parseArgs } from 'node:util';
import { UsageError } from '../cli/cli.ts';
import { type Known, type KnownContext, publishers } from './known.ts';

export const KINDS = ['command', 'projector', 'totals', 'policy', 'notifier', 'http'] as const;
export type NewKind = (typeof KINDS)[number];

export type NewContext = { readonly kind: 'context'; readonly name: string; readonly aggregate: string };
export type NewFunction = {
  readonly kind: NewKind;
  readonly context: KnownContext;
  readonly name: string;
  /** Events that it takes, all of one context; none for a command and an HTTP function. */
  readonly events: readonly string[];
  /** Who publishes them; undefined without events. */
  readonly publisher: KnownContext | undefined;
};

export const usageOf = ({ contexts }: Known): string => `usage: npm run new -- context <name> [--aggregate <name>]
       npm run new -- <kind> <context> <name> [--on <event>,…]
  kind         ${KINDS.join(', ')}
  context      ${contexts.map(({ name }) => name).join(', ')}
  name         lower case letters, digits and hyphens, such as send-parcel
  --on         the events that a projector, totals, a policy or a notifier takes, such as parcel.sent,parcel.lost
  --aggregate  what the context's events are about; without it the name of the context, without the s at its end`;

const NAME = /^[a-z][a-z0-9-]{0,61}[a-z0-9]$/;
/** First words of subjects that are not those of events, and folders beside the contexts. */
const RESERVED = ['command', 'retry', 'waiting', 'parked', 'dead', 'audit', 'runtime', 'gen', 'context'];

const oneOf = (what: string, given: string | undefined, all: readonly string[]): UsageError =>
  new UsageError(`${given ? `there is no ${what} '${given}'` : `which ${what}?`} It is one of ${all.join(', ')}`);

const isKind = (given: string | undefined): given is NewKind => KINDS.some((kind) => kind === given);
const takesEvents = (kind: NewKind): boolean => kind !== 'command' && kind !== 'http';

function checkName(name: string | undefined, what: string): asserts name is string {
  if (name === undefined) throw new UsageError(`the name of the ${what} is missing, such as send-parcel`);
  if (!NAME.test(name) || name.includes('--'))
    throw new UsageError(`'${name}' cannot be a name: write 2 to 63 lower case letters, digits and single hyphens`);
  if (RESERVED.includes(name)) throw new UsageError(`'${name}' means something else already: choose another name`);
}

function eventsFor(kind: NewKind, own: KnownContext, on: string | undefined, known: Known): string[] {
  if (!takesEvents(kind)) {
    if (on === undefined) return [];
    throw new UsageError(`a function of kind ${kind} takes no events: leave out --on`);
  }
  const all = publishers(known);
  const [first] = Object.keys(own.events ?? {});
  if (on === undefined && first === undefined)
    throw new UsageError(
      `which events? ${own.name} publishes none: say --on with some of ${[...all.keys()].join(', ')}`,
    );
  const events = [...new Set((on ?? first ?? '').split(','))];
  const unknown = events.find((event) => !all.has(event));
  if (unknown !== undefined) throw oneOf('event', unknown, [...all.keys()]);
  if (new Set(events.map((event) => all.get(event))).size > 1)
    throw new UsageError(`${events.join(' and ')} are in two streams: a function takes events of one; make two of it`);
  return events;
}

function functionOf([kind, context, name]: readonly string[], on: string | undefined, known: Known): NewFunction {
  if (!isKind(kind)) throw oneOf('kind', kind, ['context', ...KINDS]);
  const own = known.contexts.find((one) => one.name === context);
  if (!own)
    throw oneOf(
      'context',
      context,
      known.contexts.map((one) => one.name),
    );
  checkName(name, 'function');
  if (known.functions.includes(name)) throw new UsageError(`there is a function ${name} already: choose another name`);
  if (name.endsWith('-retries'))
    throw new UsageError(
      `${name} would be the name of a consumer of retries: choose one that does not end in -retries`,
    );
  if (kind === 'command' && !own.aggregateNames)
    throw new UsageError(
      `${own.name} has no aggregate that a command could change: declare one in functions/${own.name}/context.ts`,
    );
  const events = eventsFor(kind, own, on, known);
  return { kind, context: own, name, events, publisher: publishers(known).get(events[0] ?? '') };
}

function contextOf([, name, aggregate]: readonly (string | undefined)[], known: Known): NewContext {
  checkName(name, 'context');
  if (known.contexts.some((one) => one.name === name))
    throw new UsageError(`there is a context ${name} already: choose another name`);
  const own = aggregate ?? name.replace(/(?<=..)s$/, '');
  checkName(own, 'aggregate');
  if (own.includes('-'))
    throw new UsageError(
      `'${own}' cannot be the name of an aggregate, which tables and events begin with: say --aggregate with one word`,
    );
  const owner = known.contexts.find(({ aggregateNames, events = {} }) =>
    [aggregateNames?.name, ...Object.keys(events).map((type) => type.split('.')[0])].includes(own),
  );
  if (owner)
    throw new UsageError(`events of ${owner.name} begin with ${own}. already: choose another name with --aggregate`);
  return { kind: 'context', name, aggregate: own };
}

/** Throws UsageError. */
export function readRequest(args: readonly string[], known: Known): NewContext | NewFunction {
  const { positionals, on, aggregate } = parse(args);
  const isContext = positionals[0] === 'context';
  const more = positionals.slice(isContext ? 2 : 3);
  if (more.length > 0)
    throw new UsageError(`one ${isContext ? 'context' : 'function'} at a time, not also ${more.join(' ')}`);
  if (!isContext && aggregate !== undefined) throw new UsageError('only a context has --aggregate: leave it out');
  if (isContext && on !== undefined) throw new UsageError('a context takes no events: leave out --on');
  return isContext
    ? contextOf([...positionals.slice(0, 2), ...(aggregate ? [aggregate] : [])], known)
    : functionOf(positionals, on, known);
}

function parse(args: readonly string[]) {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { on: { type: 'string' }, aggregate: { type: 'string' } },
    });
    return { positionals, ...values };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
