/** Functions → one CommonJS bundle each, dist/<name>/index.cjs; the entry is the function and the shell's main. */
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import type { Definition } from '../functions/runtime/function.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const FUNCTIONS = path.join(ROOT, 'functions');

/** Native modules stay outside of the bundle and are found in node_modules. */
const EXTERNAL = ['@node-rs/argon2'];

export type FunctionSource = { readonly name: string; readonly context: string; readonly source: string };

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

const entry = ({ name, source }: FunctionSource): string => `
import definition from ${JSON.stringify(source)};
import { run } from ${JSON.stringify(path.join(FUNCTIONS, 'runtime/main.ts'))};
void run(${JSON.stringify(name)}, definition);
`;

/** Writes a file in one step: a process that starts meanwhile reads the old one or the new one, never half of it. */
async function replace(file: string, contents: Uint8Array): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}.new`;
  await writeFile(fresh, contents);
  await rename(fresh, file);
}

export type Bundle = Pick<FunctionSource, 'name' | 'context'> &
  Pick<Definition, 'kind' | 'needs'> & { readonly file: string };

async function bundle(fn: FunctionSource): Promise<Bundle> {
  const file = path.join(ROOT, 'dist', fn.name, 'index.cjs');
  const { outputFiles } = await build({
    stdin: { contents: entry(fn), resolveDir: ROOT, sourcefile: `${fn.name}.entry.ts`, loader: 'ts' },
    outfile: file,
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    external: EXTERNAL,
    // Some packages have an ESM build that a CommonJS bundle cannot run (import.meta.url).
    conditions: ['require', 'node'],
    mainFields: ['main', 'module'],
    sourcemap: 'linked',
    logLevel: 'warning',
    legalComments: 'none',
  });
  for (const output of outputFiles) await replace(output.path, output.contents);
  const { default: definition } = (await import(fn.source)) as { default: Definition };
  const { kind, needs } = definition;
  return { name: fn.name, context: fn.context, kind, needs, file };
}

/** Bundles the functions named, or all. Throws when a name is unknown or a source does not build. */
export async function buildFunctions(names?: readonly string[]): Promise<Bundle[]> {
  const all = await listFunctions();
  const unknown = names?.find((name) => !all.some((fn) => fn.name === name));
  if (unknown)
    throw new Error(`There is no function '${unknown}'; there are ${all.map(({ name }) => name).join(', ')}`);
  return Promise.all(all.filter(({ name }) => !names || names.includes(name)).map(bundle));
}

if (import.meta.main) {
  const names = process.argv.slice(2);
  for (const { name, file } of await buildFunctions(names.length > 0 ? names : undefined))
    console.log(`${name}  ${path.relative(ROOT, file)}`);
}
