/** Folders of node_modules → what their package.json says, and packages that stay outside of a bundle, with all they need. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod/mini';
import { validate } from '../../../functions/runtime/schema.ts';

const versions = z.optional(z.record(z.string(), z.string()));
const manifest = z.object({
  name: z.string(),
  version: z.string(),
  license: z.optional(z.string()),
  dependencies: versions,
  optionalDependencies: versions,
});

export type Package = {
  readonly name: string;
  readonly version: string;
  /** As its package.json says: an SPDX identifier or expression. */
  readonly license: string | undefined;
};

/** `folder` is from the repository, such as `node_modules/pg`. */
function readManifest(root: string, folder: string): z.infer<typeof manifest> {
  const file = path.join(folder, 'package.json');
  return validate(manifest, JSON.parse(readFileSync(path.join(root, file), 'utf8')), file);
}

export function readPackage(root: string, folder: string): Package {
  const { name, version, license } = readManifest(root, folder);
  return { name, version, license };
}

/** Where a package in `folder` finds `name`, as Node does: in its own node_modules, or in those further out. */
function placeOf(root: string, folder: string, name: string): string | undefined {
  for (let place = folder; ; place = path.dirname(place)) {
    const found = path.join(place, 'node_modules', name);
    if (path.basename(place) !== 'node_modules' && existsSync(path.join(root, found))) return found;
    if (place === '.') return undefined;
  }
}

/** The folders of `names` and of all that they need here: of optional ones those that are installed. */
export function closureOf(root: string, names: readonly string[]): string[] {
  const found = new Set<string>();
  const add = (folder: string): void => {
    if (found.has(folder)) return;
    found.add(folder);
    const { dependencies = {}, optionalDependencies = {} } = readManifest(root, folder);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const needed = placeOf(root, folder, name);
      if (needed || !(name in optionalDependencies)) add(needed ?? `node_modules/${name}`);
    }
  };
  for (const name of names) add(`node_modules/${name}`);
  return [...found].sort();
}
