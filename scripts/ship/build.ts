/** Functions → dist/<name>/ each: its bundle, all that this needs to run, and what is inside; the entry is the function and the shell's main. */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Definition } from '../../functions/runtime/function.ts';
import { type FunctionSource, listFunctions } from '../registry/functions.ts';
import { repository } from '../registry/repository.ts';
import { compile, outputsOf } from './bundle/compile.ts';
import { type Contents, contentsOf, digestOf, loadedBy } from './bundle/contents.ts';
import { closureOf, readPackage } from './bundle/packages.ts';
import { billOfMaterials } from './bundle/sbom.ts';

/** Native modules stay outside of the bundle, in node_modules beside it. */
const NATIVE = ['@node-rs/argon2'];
/** Instrumentations patch what is required from outside: bundled, it would silently make no spans. */
const PATCHED = ['pg', '@grpc/grpc-js'];

const externalOf = (instrumented: boolean): string[] => (instrumented ? [...NATIVE, ...PATCHED] : NATIVE);
/** Nothing at run time reads them. */
const NOT_RUN = /\.(map|md|markdown|ts|cts|mts|proto)$/;

/** Writes a file in one step: a process that starts meanwhile reads the old one or the new one, never half of it. */
async function replace(file: string, contents: Uint8Array | string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}.new`;
  await writeFile(fresh, contents);
  await rename(fresh, file);
}

/** Copies packages of node_modules below `target`; one that a running process has loaded stays whole for it. */
async function copyPackages(folders: readonly string[], target: string): Promise<void> {
  for (const folder of folders) {
    const files = await readdir(path.join(repository, folder), { recursive: true, withFileTypes: true });
    for (const file of files.filter((one) => one.isFile() && !NOT_RUN.test(one.name))) {
      const from = path.join(file.parentPath, file.name);
      await replace(path.join(target, path.relative(repository, from)), await readFile(from));
    }
  }
}

export type Bundle = Pick<FunctionSource, 'name' | 'context'> &
  Pick<Definition, 'kind' | 'settings' | 'ownRole'> & {
    readonly file: string;
    readonly digest: string;
    /** With the packages that lie beside it. */
    readonly contents: Contents;
  };

/** One that serves others never starts cold. */
const isInstrumented = (kind: Definition['kind']): boolean => kind === 'service';

const loaderText = (): Promise<string> => readFile(path.join(repository, 'scripts/ship/bundle/loader.cjs'), 'utf8');

type Output = { readonly path: string; readonly contents: Uint8Array };

/** The bundle as the function that the loader calls, on lines of its own as before: its source map stays right. */
function asFunction({ path: file, contents }: Output): Output {
  if (path.basename(file) !== 'main.cjs') return { path: file, contents };
  const parameters = '(function (exports, require, module, __filename, __dirname) {';
  return { path: file, contents: Buffer.concat([Buffer.from(parameters), contents, Buffer.from('})\n')]) };
}

type Compiled = Awaited<ReturnType<typeof compile>>;

async function finish(
  fn: FunctionSource,
  { kind, settings, ownRole = false }: Definition,
  { metafile, outputFiles }: Compiled,
): Promise<Bundle> {
  const folder = path.join(repository, 'dist', fn.name);
  const outputs = Object.values(outputsOf(fn.name));
  const external = externalOf(isInstrumented(kind));
  const beside = closureOf(
    repository,
    outputs.flatMap((output) => loadedBy(metafile, output, external)),
  );
  const inside = outputs.map((output) => contentsOf(metafile, output));
  const contents = {
    sources: [...new Set(inside.flatMap(({ sources }) => sources))].sort(),
    packages: [...new Set([...inside.flatMap(({ packages }) => packages), ...beside])].sort(),
  };
  const own = outputFiles.filter((one) => path.dirname(one.path) === folder).map(asFunction);
  const code = outputs.map((output) => own.find((one) => one.path === path.join(repository, output))?.contents);
  const loader = (await loaderText()).replace(
    '@digest',
    digestOf(...code.flatMap((bytes) => bytes ?? [])).slice(7, 39),
  );
  const digest = digestOf(Buffer.from(loader));

  for (const one of own) await replace(one.path, one.contents);
  // Last: it names what the others are.
  const file = path.join(folder, 'index.cjs');
  await replace(file, loader);
  await copyPackages(beside, folder);
  const packages = contents.packages.map((one) => readPackage(repository, one));
  const product = { ...readPackage(repository, '.'), name: fn.name, digest };
  await replace(path.join(folder, 'sbom.cdx.json'), billOfMaterials(product, packages));

  return { name: fn.name, context: fn.context, kind, settings, ownRole, file, digest, contents };
}

/** Bundles the functions named, or all. Throws when a name is unknown or a source does not build. */
export async function buildFunctions(names?: readonly string[]): Promise<Bundle[]> {
  const all = await listFunctions();
  const unknown = names?.find((name) => !all.some((fn) => fn.name === name));
  if (unknown)
    throw new Error(`There is no function '${unknown}'; there are ${all.map(({ name }) => name).join(', ')}`);
  const wanted = all.filter(({ name }) => !names || names.includes(name));
  const defined = await Promise.all(
    wanted.map(async (fn) => {
      const { default: definition } = (await import(fn.source)) as { default: Definition };
      return { fn, definition, instrumented: isInstrumented(definition.kind) };
    }),
  );
  const build = async (instrumented: boolean): Promise<Bundle[]> => {
    const own = defined.filter((one) => one.instrumented === instrumented);
    if (own.length === 0) return [];
    const entries = own.map(({ fn }) => ({ name: fn.name, source: path.relative(repository, fn.source) }));
    const compiled = await compile(repository, entries, { external: externalOf(instrumented), instrumented });
    return Promise.all(own.map(({ fn, definition }) => finish(fn, definition, compiled)));
  };
  const bundles = [...(await build(false)), ...(await build(true))];
  return bundles.sort((a, b) => a.name.localeCompare(b.name));
}
