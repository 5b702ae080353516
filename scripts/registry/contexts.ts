/** The contexts of the repository, found by their folders, with what each declares of itself in context.ts. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Context, DeclaredAggregate } from '../../functions/runtime/context.ts';
import { repository } from './repository.ts';

const FUNCTIONS = path.join(repository, 'functions');
/** Folders of functions/ that are no contexts. */
const SHARED = ['runtime', 'gen'];

export type DefinedContext = Context & { readonly name: string };

/** Names of the contexts, sorted: folders with a file in them, for git keeps no empty ones. */
async function listContexts(): Promise<string[]> {
  const files = await readdir(FUNCTIONS, { recursive: true });
  const names = files
    .filter((file) => /\.\w+$/.test(file))
    .map((file) => file.split(path.sep))
    .flatMap(([name = '', ...rest]) => (rest.length > 0 && !SHARED.includes(name) ? [name] : []));
  return [...new Set(names)].sort();
}

export async function readContexts(): Promise<DefinedContext[]> {
  return Promise.all(
    (await listContexts()).map(async (name) => {
      const file = path.join(FUNCTIONS, name, 'context.ts');
      if (!existsSync(file))
        throw new Error(`functions/${name} has no context.ts; make one with: npm run new -- context ${name}`);
      const { default: declared } = (await import(file)) as { default: Context };
      return { ...declared, name };
    }),
  );
}

/** Type of every published event → the context that publishes it, and the schema of its data. */
export function eventsOf(contexts: readonly DefinedContext[]) {
  return Object.fromEntries(
    contexts.flatMap((context) =>
      Object.entries(context.events ?? {}).map(([type, schema]) => [type, { context, schema }] as const),
    ),
  );
}

/** Every aggregate, by its name. */
export const aggregatesOf = (contexts: readonly DefinedContext[]): Readonly<Record<string, DeclaredAggregate>> =>
  Object.fromEntries(
    contexts.flatMap(({ aggregates = [] }) => aggregates.map((declared) => [declared.aggregate.name, declared])),
  );
