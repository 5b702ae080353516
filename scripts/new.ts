/** `npm run new`: a context, or a function of some kind → files in folders of its own; nothing is written when something is in the way. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Definition } from '../functions/runtime/function.ts';
import { UsageError } from './cli/cli.ts';
import { commandSources, withCommand } from './new/command.ts';
import { contextSources } from './new/context.ts';
import { httpSources } from './new/http.ts';
import { type Known, readKnown } from './new/known.ts';
import { manifestsOf } from './new/manifests.ts';
import { migrationOf } from './new/migration.ts';
import { notifierSources } from './new/notifier.ts';
import { policySources } from './new/policy.ts';
import { projectorSources } from './new/projector.ts';
import { type NewContext, type NewFunction, type NewKind, readRequest, usageOf } from './new/request.ts';
import type { Sources } from './new/sources.ts';
import { totalsSources } from './new/totals.ts';
import { fault, importsOf } from './registry/imports.ts';
import { repository } from './registry/repository.ts';
import { runTool } from './ship/tool.ts';

const SOURCES: Readonly<Record<NewKind, (request: NewFunction) => Sources>> = {
  command: commandSources,
  projector: projectorSources,
  totals: totalsSources,
  policy: policySources,
  notifier: notifierSources,
  http: httpSources,
};

type Files = ReadonlyMap<string, string>;

const place = (file: string): string => path.join(repository, file);

function write(files: Files): void {
  for (const [file, text] of files) {
    mkdirSync(path.dirname(place(file)), { recursive: true });
    writeFileSync(place(file), text);
  }
}

const below = (folder: string, sources: Sources): [string, string][] =>
  Object.entries(sources).map(([file, text]) => [path.join(folder, file), text]);

/** Throws when the imports of such a function are not allowed in its context. */
function checkImports(files: Files, { contexts }: Known): void {
  const faults = [...files].flatMap(([file, text]) =>
    file.startsWith('functions/')
      ? importsOf(path.relative('functions', file), text).flatMap((one) => fault(one, contexts) ?? [])
      : [],
  );
  if (faults[0] !== undefined)
    throw new UsageError(`${faults[0]} (see Imports in functions/README.md): choose another context`);
}

function checkFolders(folders: readonly string[]): void {
  for (const folder of folders)
    if (existsSync(place(folder)))
      throw new UsageError(`${folder} is there already: remove it, or choose another name`);
}

/** Path → text of all that is written by hand later. Reads only. */
function sourcesOf(request: NewContext | NewFunction, known: Known): Files {
  const files = new Map<string, string>();
  if (request.kind === 'context') {
    checkFolders([`functions/${request.name}`]);
    for (const [file, text] of below(`functions/${request.name}`, contextSources(request))) files.set(file, text);
  } else {
    const own = `functions/${request.context.name}`;
    checkFolders([`${own}/${request.name}`, `knative/functions/${request.name}`]);
    for (const [file, text] of below(`${own}/${request.name}`, SOURCES[request.kind](request))) files.set(file, text);
    const commands = `${own}/commands.ts`;
    if (request.kind === 'command')
      files.set(
        commands,
        withCommand(request, existsSync(place(commands)) ? readFileSync(place(commands), 'utf8') : undefined),
      );
    checkImports(files, known);
  }
  const migration = migrationOf(request);
  return migration ? files.set(...migration) : files;
}

/** The manifests of the function as its function.ts declares it. */
async function manifestFiles({ context, name }: NewFunction): Promise<Files> {
  const file = place(`functions/${context.name}/${name}/function.ts`);
  const { default: definition } = (await import(file)) as { default: Definition };
  return new Map(below(`knative/functions/${name}`, manifestsOf({ ...definition, name })));
}

async function make(args: readonly string[], known: Known): Promise<void> {
  const request = readRequest(args, known);
  const sources = sourcesOf(request, known);
  write(sources);
  const manifests: Files = request.kind === 'context' ? new Map() : await manifestFiles(request);
  write(manifests);
  const written = [...sources.keys(), ...manifests.keys()];
  const formatted = written.filter((file) => /\.(ts|yaml)$/.test(file));
  await runTool('node_modules/@biomejs/biome/bin/biome', ['check', '--write', '--log-level=error', ...formatted]);
  console.log(written.map((file) => `wrote ${file}`).join('\n'));
  if ((await runTool('scripts/generate.ts', [])) !== 0) throw new Error('npm run generate failed; see above');
  const test = written.find((file) => file.endsWith('.test.ts'));
  console.log(
    test
      ? `\n${request.name} does nothing yet. What to write next: npm test -- ${test}`
      : `\nWrite the events of ${request.name} in events.ts, then run: npm run schemas`,
  );
}

const args = process.argv.slice(2);
const known = await readKnown();
try {
  if (args.includes('--help')) console.log(usageOf(known));
  else await make(args, known);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(error instanceof UsageError ? `new: ${message}\n\n${usageOf(known)}` : `new: ${message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
