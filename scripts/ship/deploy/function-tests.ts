/** A function → the tests that it must pass before it is deployed, found by where they are and what they import. Pure. */
import path from 'node:path';
import type { FunctionSource } from '../../registry/functions.ts';
import type { Import } from '../../registry/imports.ts';

const isTest = (file: string): boolean => file.endsWith('.test.ts');
const SUITES = ['test/integration', 'test/e2e'];

/**
 * The tests of the function's context, and those of test/integration and test/e2e that import a file of it; files are paths
 * in the repository. Throws when the context has none: nothing would say that the function works.
 */
export function testsOf(
  { name, context }: Pick<FunctionSource, 'name' | 'context'>,
  files: readonly string[],
  imports: readonly Import[],
): string[] {
  const folder = `functions/${context}/`;
  const importing = new Set(imports.filter(({ to }) => to.startsWith(folder)).map(({ from }) => from));
  const found = files.filter(
    (file) =>
      isTest(file) &&
      (file.startsWith(folder) || (importing.has(file) && SUITES.some((suite) => file.startsWith(`${suite}/`)))),
  );
  if (found.length > 0) return found.sort();
  throw new Error(
    `no test is about ${name}: put one beside its code, such as ${path.join(folder, name, `${name}.test.ts`)}, ` +
      `or in test/integration, importing from ${folder}`,
  );
}
