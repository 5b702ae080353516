/**
 * What contexts and functions declare, proto/ and the manifests → the files that follow from them. With --check it only says
 * whether the committed files are that, and whether proto/ breaks what is published. Each of ./generate gives its files.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { accountsFile } from './generate/accounts.ts';
import type { Generated } from './generate/generated.ts';
import { openApiFile } from './generate/openapi.ts';
import { postgresFiles } from './generate/postgres.ts';
import { protoFiles } from './generate/proto.ts';
import { readmeFiles } from './generate/readmes.ts';
import { repository } from './registry/repository.ts';
import { checkPublished } from './ship/breaking.ts';
import { runTool } from './ship/tool.ts';

const GENERATORS: readonly (() => Promise<Generated>)[] = [
  protoFiles,
  openApiFile,
  accountsFile,
  postgresFiles,
  readmeFiles,
];
/** Has generated files alone: one that nothing generates any more is removed. */
const GENERATED_FOLDER = 'functions/gen';
const BUF = 'node_modules/@bufbuild/buf/bin/buf';

async function generateAll(): Promise<Generated> {
  const all = await Promise.all(GENERATORS.map((generate) => generate()));
  return Object.assign({}, ...all);
}

const read = async (file: string): Promise<string | undefined> =>
  existsSync(path.join(repository, file)) ? readFile(path.join(repository, file), 'utf8') : undefined;

/** Files of the repository that are not as they would be generated now: changed, missing or left over. */
async function outdated(wanted: Generated): Promise<string[]> {
  const entries = await readdir(path.join(repository, GENERATED_FOLDER), { recursive: true, withFileTypes: true });
  const there = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(repository, path.join(entry.parentPath, entry.name)));
  const names = [...new Set([...Object.keys(wanted), ...there])].sort();
  const differs = await Promise.all(names.map(async (name) => (await read(name)) !== wanted[name]));
  return names.filter((_, index) => differs[index]);
}

async function check(): Promise<void> {
  if ((await runTool(BUF, ['lint', 'proto'])) !== 0) throw new Error('proto/ does not pass buf lint; see above');
  await checkPublished();
  const wanted = await generateAll();
  const files = await outdated(wanted);
  if (files.length === 0)
    return console.log(`${Object.keys(wanted).length} generated files are what the sources generate`);
  const list = files.map((file) => `  ${file}`).join('\n');
  throw new Error(`Not what the sources generate; run \`npm run generate\`:\n${list}`);
}

async function write(): Promise<void> {
  const wanted = await generateAll();
  for (const file of await outdated(wanted)) {
    const text = wanted[file];
    const place = path.join(repository, file);
    await mkdir(path.dirname(place), { recursive: true });
    await (text === undefined ? rm(place) : writeFile(place, text));
    console.log(`${text === undefined ? 'removed' : 'wrote'} ${file}`);
  }
}

try {
  await (process.argv.includes('--check') ? check() : write());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
