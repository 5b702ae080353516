/**
 * What contexts and functions declare, proto/ and the manifests → the files that follow from them. With --check it only says
 * whether the committed files are that, and whether proto/ breaks what is published. Each of ./generate gives its files.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { accountsFile } from './generate/accounts.ts';
import { callersFile } from './generate/callers.ts';
import { composeFiles } from './generate/compose.ts';
import type { Generated } from './generate/generated.ts';
import { manifestFiles } from './generate/manifests.ts';
import { openApiFile } from './generate/openapi.ts';
import { postgresFiles } from './generate/postgres.ts';
import { protoFiles } from './generate/proto.ts';
import { readmeFiles } from './generate/readmes.ts';
import { streamsFile } from './generate/streams.ts';
import { repository } from './registry/repository.ts';
import { checkPublished } from './ship/breaking.ts';
import { runTool } from './ship/tool.ts';

type Generator = () => Promise<Generated>;
const FROM_DECLARATIONS: readonly Generator[] = [
  protoFiles,
  openApiFile,
  callersFile,
  accountsFile,
  streamsFile,
  postgresFiles,
  manifestFiles,
  composeFiles,
];
/** These read manifests as well, so they come after what is generated of those. */
const FROM_MANIFESTS: readonly Generator[] = [readmeFiles];
/** Has generated files alone: one that nothing generates any more is removed. */
const GENERATED_FOLDER = 'functions/gen';
const BUF = 'node_modules/@bufbuild/buf/bin/buf';

async function generate(generators: readonly Generator[]): Promise<Generated> {
  const all = await Promise.all(generators.map((generator) => generator()));
  return Object.assign({}, ...all);
}

const read = async (file: string): Promise<string | undefined> =>
  existsSync(path.join(repository, file)) ? readFile(path.join(repository, file), 'utf8') : undefined;

/** Files of the repository that are not as they would be generated now: changed or missing. */
async function outdated(wanted: Generated): Promise<string[]> {
  const names = Object.keys(wanted).sort();
  const differs = await Promise.all(names.map(async (name) => (await read(name)) !== wanted[name]));
  return names.filter((_, index) => differs[index]);
}

async function leftOver(wanted: Generated): Promise<string[]> {
  const entries = await readdir(path.join(repository, GENERATED_FOLDER), { recursive: true, withFileTypes: true });
  const there = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(repository, path.join(entry.parentPath, entry.name)));
  return there.filter((file) => wanted[file] === undefined);
}

async function check(): Promise<void> {
  if ((await runTool(BUF, ['lint', 'proto'])) !== 0) throw new Error('proto/ does not pass buf lint; see above');
  await checkPublished();
  const declared = await generate(FROM_DECLARATIONS);
  const before = [...(await outdated(declared)), ...(await leftOver(declared))];
  const derived = before.length > 0 ? {} : await generate(FROM_MANIFESTS);
  const files = [...before, ...(await outdated(derived))];
  if (files.length === 0)
    return console.log(
      `${Object.keys({ ...declared, ...derived }).length} generated files are what the sources generate`,
    );
  const list = files.map((file) => `  ${file}`).join('\n');
  throw new Error(`Not what the sources generate; run \`npm run generate\`:\n${list}`);
}

async function save(wanted: Generated): Promise<void> {
  for (const file of await outdated(wanted)) {
    const place = path.join(repository, file);
    await mkdir(path.dirname(place), { recursive: true });
    await writeFile(place, wanted[file] ?? '');
    console.log(`wrote ${file}`);
  }
}

async function write(): Promise<void> {
  const declared = await generate(FROM_DECLARATIONS);
  await save(declared);
  for (const file of await leftOver(declared)) {
    await rm(path.join(repository, file));
    console.log(`removed ${file}`);
  }
  await save(await generate(FROM_MANIFESTS));
}

try {
  await (process.argv.includes('--check') ? check() : write());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
