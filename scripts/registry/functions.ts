/** The functions of the repository, found by their folders: names and files, and what each declares of itself. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Definition } from '../../functions/runtime/function.ts';
import { eventsOf, readContexts } from './contexts.ts';
import { repository } from './repository.ts';

const FUNCTIONS = path.join(repository, 'functions');

/** `source` is the path of its function.ts. */
export type FunctionSource = { readonly name: string; readonly context: string; readonly source: string };
export type DefinedFunction = Definition & FunctionSource;

/** Every folder functions/<context>/<name> with a function.ts, by name. */
export async function listFunctions(): Promise<FunctionSource[]> {
  const files = await readdir(FUNCTIONS, { recursive: true });
  return files
    .map((file) => file.split(path.sep))
    .flatMap(([context, name, file, ...deeper]) =>
      context && name && file === 'function.ts' && deeper.length === 0
        ? [{ name, context, source: path.join(FUNCTIONS, context, name, file) }]
        : [],
    )
    .sort((a, b) => a.name.localeCompare(b.name));
}

export async function readDefinitions(): Promise<DefinedFunction[]> {
  const functions = await listFunctions();
  // A relay publishes the events of whoever stores them in the outbox.
  const events = Object.keys(eventsOf(await readContexts()));
  const definitions = await Promise.all(
    functions.map(async (fn) => {
      const { default: definition } = (await import(fn.source)) as { default: Definition };
      return { ...definition, ...fn, publishes: definition.kind === 'relay' ? events : definition.publishes };
    }),
  );
  const ofKind = (kind: string): string[] => definitions.flatMap((one) => (one.kind === kind ? [one.name] : []));
  const named = (who: string): string[] => (functions.some(({ name }) => name === who) ? [who] : ofKind(who));
  return definitions.map((one) => ({ ...one, tasksTo: (one.tasksTo ?? []).flatMap(named) }));
}
