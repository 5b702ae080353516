/** The functions of the repository → their definitions, with their names and folders. */
import path from 'node:path';
import type { Definition } from '../../functions/runtime/function.ts';
import { listFunctions } from '../build.ts';

export type DefinedFunction = Definition & { readonly name: string; readonly folder: string };

export async function readDefinitions(): Promise<DefinedFunction[]> {
  const functions = await listFunctions();
  return Promise.all(
    functions.map(async ({ name, source }) => {
      const { default: definition } = (await import(source)) as { default: Definition };
      return { ...definition, name, folder: path.dirname(source) };
    }),
  );
}
