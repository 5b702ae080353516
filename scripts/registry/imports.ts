/** Imports in functions/ → those that the three floors do not allow. Pure. */
import path from 'node:path';

const FLOORS = [
  ['api', 'notifications', 'platform'],
  ['orders', 'users'],
  ['runtime', 'gen'],
];
/** Contexts that have functions, the upper ones first. */
export const CONTEXTS: readonly string[] = FLOORS.slice(0, -1).flat();

/** What a context shows to others: its published events and commands, its typed client, its catalogue, its tokens and keys, its webhooks. */
const SHOWN = /^(events|commands|client|products|access-token|kept-keys|webhook-endpoints|webhook-deliveries)\.ts$/;

const floorOf = (context: string): number => FLOORS.findIndex((floor) => floor.includes(context));

/** Two files, by their paths in functions/. */
export type Import = { readonly from: string; readonly to: string };

/** The relative imports of a source. */
export const importsOf = (file: string, source: string): Import[] =>
  [...source.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, target = '']) => ({
    from: file,
    to: path.join(path.dirname(file), target),
  }));

/** Why an import is not allowed, or undefined. */
export function fault({ from, to }: Import): string | undefined {
  const [fromContext = '', fromFunction = ''] = from.split(path.sep);
  const [toContext = '', ...rest] = to.split(path.sep);
  const [toFunction = ''] = rest;
  if (fromContext === toContext) {
    const isFolder = (name: string) => !name.endsWith('.ts');
    const outside = isFolder(toFunction) && toFunction !== fromFunction && floorOf(fromContext) < 2;
    return outside && !from.endsWith('.test.ts') ? `${from} reaches into the function ${to}` : undefined;
  }
  if (floorOf(toContext) < floorOf(fromContext)) return `${from} imports upwards: ${to}`;
  if (floorOf(toContext) === 2) return undefined;
  if (rest.length === 1 && SHOWN.test(toFunction)) return undefined;
  return `${from} sees more of ${toContext} than it shows: ${to}`;
}
