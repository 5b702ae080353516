/** A function → the tests that it must pass before it is deployed, found by where they are, what they import and name. Pure. */
import path from 'node:path';
import type { FunctionSource } from '../../registry/functions.ts';
import { importsOf } from '../../registry/imports.ts';

/** Path of a test in the repository → its source. */
export type Tests = Readonly<Record<string, string>>;

/**
 * The tests of the function's context, and the others that import a file of the context or name the function in quotes.
 * Throws when there are none: nothing would say that the function works.
 */
export function testsOf({ name, context }: Pick<FunctionSource, 'name' | 'context'>, tests: Tests): string[] {
  const folder = `functions/${context}/`;
  const found = Object.entries(tests)
    .filter(
      ([file, source]) =>
        file.startsWith(folder) ||
        source.includes(`'${name}'`) ||
        importsOf(file, source).some(({ to }) => to.startsWith(folder)),
    )
    .map(([file]) => file);
  if (found.length > 0) return found.sort();
  throw new Error(
    `no test is about ${name}: put one beside its code, such as ${path.join(folder, name, `${name}.test.ts`)}, ` +
      `or in test/integration, importing from ${folder}`,
  );
}
