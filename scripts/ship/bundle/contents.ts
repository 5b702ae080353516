/** esbuild's metafile → what is inside of a bundle, own sources and packages; and the digest that names a bundle. Pure. */
import { createHash } from 'node:crypto';
import type { Metafile } from 'esbuild';

export type Contents = {
  /** Own files, from the repository. */
  readonly sources: readonly string[];
  /** Folders of packages with code in the bundle, as package-lock.json names them: `node_modules/pg`. */
  readonly packages: readonly string[];
};

const PACKAGE = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;

/** `output` is the bundle as the metafile names it; its entry is no file, and files of which nothing is left in it are not named. */
export function contentsOf(metafile: Metafile, output: string): Contents {
  const inputs = Object.entries(metafile.outputs[output]?.inputs ?? {});
  const files = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file);
  const packages = files.flatMap((file) => PACKAGE.exec(file)?.[1] ?? []);
  return {
    sources: files.filter((file) => !PACKAGE.test(file) && !file.includes(':')).sort(),
    packages: [...new Set(packages)].sort(),
  };
}

/** Those of `external` that the bundle loads when it runs. */
export function loadedBy(metafile: Metafile, output: string, external: readonly string[]): string[] {
  const imports = metafile.outputs[output]?.imports ?? [];
  return external.filter((name) => imports.some((one) => one.external === true && one.path === name));
}

/** The same source gives the same digest, in whatever folder it is built. */
export function digestOf(...files: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file);
  return `sha256:${hash.digest('hex')}`;
}
