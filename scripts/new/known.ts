/** The contexts that there are → what a new function must know of them: their events, their aggregate, and what code calls these. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Context } from '../../functions/runtime/context.ts';
import { type DefinedContext, readContexts } from '../registry/contexts.ts';
import { listFunctions } from '../registry/functions.ts';
import { repository } from '../registry/repository.ts';
import { pascal } from './names.ts';

/** What code calls the events of a context: `import { <stream>, <schemas> } from '…/events.ts'`. */
type EventNames = { readonly stream: string; readonly schemas: string };
/** `name` is that of the aggregate; its file is `<name>.ts`, which exports `value` and the types `state` and `event`. */
type AggregateNames = {
  readonly name: string;
  readonly value: string;
  readonly state: string;
  readonly event: string;
};
export type KnownContext = DefinedContext & {
  readonly eventNames: EventNames | undefined;
  readonly aggregateNames: AggregateNames | undefined;
};
export type Known = { readonly contexts: readonly KnownContext[]; readonly functions: readonly string[] };

type Module = Readonly<Record<string, unknown>>;

async function load(context: string, file: string): Promise<Module> {
  const place = path.join(repository, 'functions', context, file);
  if (!existsSync(place))
    throw new Error(`functions/${context}/${file} is missing: context.ts declares what must be in it`);
  return (await import(place)) as Module;
}

function exportOf(module: Module, value: unknown, where: string): string {
  const found = Object.entries(module).find(([, one]) => one === value);
  if (!found) throw new Error(`${where} does not export what its context.ts declares: export it there`);
  return found[0];
}

async function eventNames(name: string, { stream, events }: Context): Promise<EventNames | undefined> {
  if (!stream || !events) return undefined;
  const module = await load(name, 'events.ts');
  const where = `functions/${name}/events.ts`;
  return { stream: exportOf(module, stream.name, where), schemas: exportOf(module, events, where) };
}

async function aggregateNames(context: string, { aggregates = [] }: Context): Promise<AggregateNames | undefined> {
  const [first] = aggregates;
  if (!first) return undefined;
  const { name } = first.aggregate;
  const module = await load(context, `${name}.ts`);
  const value = exportOf(module, first.aggregate, `functions/${context}/${name}.ts`);
  return { name, value, state: pascal(name), event: `${pascal(name)}Event` };
}

export async function readKnown(): Promise<Known> {
  const contexts = await Promise.all(
    (await readContexts()).map(async (context) => ({
      ...context,
      eventNames: await eventNames(context.name, context),
      aggregateNames: await aggregateNames(context.name, context),
    })),
  );
  return { contexts, functions: (await listFunctions()).map(({ name }) => name) };
}

/** Every event that a function can take → the context that publishes it. */
export const publishers = ({ contexts }: Known): ReadonlyMap<string, KnownContext> =>
  new Map(contexts.flatMap((context) => Object.keys(context.events ?? {}).map((type) => [type, context] as const)));
