/** `npm run new`: a function of some kind → its folders and its place in all lists; nothing is written when something is in the way. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hasRole, MIGRATIONS, migrationOf, migrations } from './new/database.ts';
import { commandSources } from './new/kinds/command.ts';
import { httpSources } from './new/kinds/http.ts';
import { notifierSources } from './new/kinds/notifier.ts';
import { policySources } from './new/kinds/policy.ts';
import { projectorSources } from './new/kinds/projector.ts';
import { LISTS } from './new/lists.ts';
import { manifestsOf } from './new/manifests.ts';
import { commandOf, tableOf } from './new/names.ts';
import { type NewKind, type Request, readRequest, usage } from './new/request.ts';
import { type Sources, sortImports } from './new/sources.ts';
import { UsageError } from './operate/cli.ts';
import { readContexts } from './registry/contexts.ts';
import { listFunctions } from './registry/functions.ts';
import { fault, importsOf } from './registry/imports.ts';

const contexts = await readContexts();

import { repository } from './registry/repository.ts';
import { runTool } from './ship/tool.ts';

const SOURCES: Readonly<Record<NewKind, (request: Request) => Sources>> = {
  command: commandSources,
  projector: projectorSources,
  policy: policySources,
  notifier: notifierSources,
  http: httpSources,
};

const read = (file: string): string => readFileSync(path.join(repository, file), 'utf8');

/** Path in functions/ → text. */
const sourcesOf = (request: Request): Map<string, string> =>
  new Map(
    Object.entries(SOURCES[request.kind](request)).map(([file, text]) => [
      path.join(request.context, request.name, file),
      sortImports(text),
    ]),
  );

const faultsOf = (request: Request): string[] =>
  [...sourcesOf(request)].flatMap(([file, text]) => importsOf(file, text).flatMap((one) => fault(one, contexts) ?? []));

/** Throws when the floors have no place for such a function in this context. */
function checkFloors(request: Request): void {
  const [first] = faultsOf(request);
  if (first === undefined) return;
  const allowed = contexts.map(({ name }) => name).filter((context) => faultsOf({ ...request, context }).length === 0);
  const where = `a ${request.kind} can be in ${allowed.join(', ')}`;
  throw new UsageError(`not in ${request.context}: ${first} (see Three floors in functions/README.md); ${where}`);
}

/** Throws when what the function would be called elsewhere is there already. */
function checkNames(request: Request): void {
  const { kind, context, name } = request;
  for (const folder of [`functions/${context}/${name}`, `knative/functions/${name}`])
    if (existsSync(path.join(repository, folder)))
      throw new UsageError(`${folder} is there already: remove it, or choose another name`);
  const { type, constant } = commandOf(name);
  const commands = read('functions/orders/commands.ts');
  if (kind === 'command' && (commands.includes(`'${type}'`) || commands.includes(` ${constant} `)))
    throw new UsageError(`the command ${type} is there already, in functions/orders/commands.ts: choose another name`);
  if (kind === 'projector' && new RegExp(`create table ${tableOf(name)}\\b`).test(migrations()))
    throw new UsageError(`the table ${tableOf(name)} is there already, in ${MIGRATIONS}: choose another name`);
  if (kind === 'http' && hasRole(request))
    throw new UsageError(`the role of Postgres for ${name} is there already, in ${MIGRATIONS}: choose another name`);
}

/** All that is to be written: path → text. Reads only. */
function filesOf(request: Request): Map<string, string> {
  const files = new Map([...sourcesOf(request)].map(([file, text]) => [path.join('functions', file), text]));
  for (const [file, text] of manifestsOf(request)) files.set(file, text);
  const migration = migrationOf(request);
  if (migration) files.set(...migration);
  for (const [file, edit] of LISTS) files.set(file, edit(files.get(file) ?? read(file), request));
  return files;
}

async function make(args: readonly string[]): Promise<void> {
  const request = readRequest(
    args,
    (await listFunctions()).map(({ name }) => name),
  );
  checkFloors(request);
  checkNames(request);
  const files = [...filesOf(request)].filter(
    ([file, text]) => !existsSync(path.join(repository, file)) || read(file) !== text,
  );
  for (const [file, text] of files) {
    mkdirSync(path.dirname(path.join(repository, file)), { recursive: true });
    writeFileSync(path.join(repository, file), text);
  }
  const written = files.map(([file]) => file);
  const formatted = written.filter((file) => /\.(ts|yaml)$/.test(file));
  await runTool('node_modules/@biomejs/biome/bin/biome', ['check', '--write', '--log-level=error', ...formatted]);
  await runTool('scripts/generate.ts', []);
  console.log(written.join('\n'));
  const test = written.find((file) => file.endsWith('.test.ts'));
  console.log(`\n${request.name} does nothing yet. What to write next: npm test -- ${test}`);
}

function end(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  console.error(error instanceof UsageError ? `new: ${message}\n\n${usage}` : `new: ${message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

const args = process.argv.slice(2);
if (args.includes('--help')) console.log(usage);
else await make(args).catch(end);
