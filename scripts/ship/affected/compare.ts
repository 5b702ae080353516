/** Two folders of the repository, then and now → whether a file, a folder, a locked package or what a kustomization builds on changed. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod/mini';
import { validate } from '../../../functions/runtime/schema.ts';

const folders = z._default(z.array(z.string()), []);
const kustomization = z.object({ resources: folders, components: folders });
const lock = z.object({ packages: z.record(z.string(), z.unknown()) });

const read = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, 'latin1') : undefined);

/** Every file of a folder or the file itself, from `root`; none if it is not there. */
function filesOf(root: string, place: string): string[] {
  const full = path.join(root, place);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [place];
  const entries = readdirSync(full, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

/** Whether a file of `places`, files and folders, is new, gone or another one. */
export function placesDiffer(then: string, now: string, places: readonly string[]): boolean {
  const files = new Set(places.flatMap((place) => [...filesOf(then, place), ...filesOf(now, place)]));
  return [...files].some((file) => read(path.join(then, file)) !== read(path.join(now, file)));
}

/** The folder of a kustomization and those that it names, and theirs; resources only if `resources` says so. */
export function foldersOf(root: string, folder: string, resources = true): string[] {
  const found = new Set<string>();
  const add = (place: string): void => {
    if (found.has(place)) return;
    found.add(place);
    const file = path.join(root, place, 'kustomization.yaml');
    if (!existsSync(file)) return;
    const named = validate(kustomization, parse(readFileSync(file, 'utf8')), path.relative(root, file));
    for (const one of [...named.components, ...(resources ? named.resources : [])]) {
      const next = path.join(place, one);
      if (existsSync(path.join(root, next)) && statSync(path.join(root, next)).isDirectory()) add(next);
    }
  };
  add(folder);
  return [...found].sort();
}

/** Folders of packages → whether the lock file has another version or content of one of them. */
export function packagesDiffer(then: string, now: string): (packages: readonly string[]) => boolean {
  const [before = {}, after = {}] = [then, now].map((root) => {
    const text = read(path.join(root, 'package-lock.json'));
    return text === undefined ? undefined : validate(lock, JSON.parse(text), 'package-lock.json').packages;
  });
  return (packages) => packages.some((one) => JSON.stringify(before[one]) !== JSON.stringify(after[one]));
}
