/** Imports → the circles that they make, among files or among the rooms that the files are in. Pure. */
import path from 'node:path';
import type { Import } from './imports.ts';

/** The room of a file of `root`: the folder directly below it; a file that is in none counts as itself. */
export function roomOf(root: string, file: string): string {
  const [room = '', ...deeper] = path.relative(root, file).split(path.sep);
  return path.join(root, deeper.length > 0 ? room : path.basename(file));
}

/**
 * Each circle as the sorted names of all that can reach each other, the circles sorted, too; `nodeOf` makes a node of a
 * file, such as its room. What a node imports of itself is no circle.
 */
export function circlesOf(imports: readonly Import[], nodeOf = (file: string): string => file): string[][] {
  const edges = Map.groupBy(
    imports.map(({ from, to }) => ({ from: nodeOf(from), to: nodeOf(to) })),
    ({ from }) => from,
  );
  const reach = (start: string): ReadonlySet<string> => {
    const seen = new Set<string>();
    const open = [start];
    for (let node = open.pop(); node !== undefined; node = open.pop())
      for (const { to } of edges.get(node) ?? [])
        if (!seen.has(to)) {
          seen.add(to);
          open.push(to);
        }
    return seen;
  };
  const reached = new Map([...edges.keys()].map((node) => [node, reach(node)]));
  const circles = [...reached].flatMap(([node, all]) => {
    const circle = [...all].filter((other) => reached.get(other)?.has(node)).sort();
    return circle.length > 1 && circle[0] === node ? [circle] : [];
  });
  return circles.sort((a, b) => String(a[0]).localeCompare(String(b[0])));
}
