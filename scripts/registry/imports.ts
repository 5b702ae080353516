/** Imports in functions/ → those that are not allowed: upwards, into another context beyond its exports, into a room of the runtime. Pure. */
import path from 'node:path';
import type { DefinedContext } from './contexts.ts';

/** What every context may import: functions/runtime/*.ts and the generated code. */
const SHARED: readonly string[] = ['runtime', 'gen'];

/** Two files, by their paths in functions/. */
export type Import = { readonly from: string; readonly to: string };
type Shown = Pick<DefinedContext, 'name' | 'exports'>;

/** The relative imports of a source. */
export const importsOf = (file: string, source: string): Import[] =>
  [...source.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, target = '']) => ({
    from: file,
    to: path.join(path.dirname(file), target),
  }));

const isFile = (name: string): boolean => name.endsWith('.ts');
const isTest = (file: string): boolean => file.endsWith('.test.ts');
const contextOf = (file: string): string => file.split(path.sep)[0] ?? '';

/** Why an import is not allowed, or undefined. A test may look into the runtime, and into the functions of its context. */
export function fault({ from, to }: Import, contexts: readonly Shown[]): string | undefined {
  const [fromContext = '', fromFunction = ''] = from.split(path.sep);
  const [toContext = '', ...rest] = to.split(path.sep);
  const [toRoom = ''] = rest;
  const shared = SHARED.includes(fromContext);
  if (SHARED.includes(toContext)) {
    const inside = toContext === 'runtime' && rest.length > 1;
    return inside && !shared && !isTest(from) ? `${from} imports the inside of the runtime: ${to}` : undefined;
  }
  if (shared) return `${from} imports upwards: ${to}`;
  if (fromContext === toContext) {
    const foreign = !isFile(toRoom) && toRoom !== fromFunction && !isTest(from);
    return foreign ? `${from} reaches into the function ${to}` : undefined;
  }
  const exported = contexts.find(({ name }) => name === toContext)?.exports ?? [];
  return exported.includes(rest.join('/')) ? undefined : `${from} sees more of ${toContext} than it exports: ${to}`;
}

/** Contexts that import each other, directly or by way of others: `a → b → a`. */
export function circlesOfContexts(imports: readonly Import[]): string[] {
  const to = Map.groupBy(imports, ({ from }) => contextOf(from));
  const next = (context: string): string[] => [
    ...new Set((to.get(context) ?? []).map((one) => contextOf(one.to)).filter((name) => name !== context)),
  ];
  const search = (trail: readonly string[]): string[] =>
    next(trail.at(-1) ?? '').flatMap((name) => {
      if (name === trail[0]) return [[...trail, name].join(' → ')];
      return trail.includes(name) ? [] : search([...trail, name]);
    });
  return [...to.keys()].sort().flatMap((context) => search([context]));
}
