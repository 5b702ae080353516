/**
 * proto/ → functions/gen, by buf and ts-proto, offline; the routes of the HTTP functions → functions/gen/openapi.json;
 * what functions take and give → infra/nats/accounts.conf; that and their rules → the table of functions/README.md.
 * With --check it only says whether the committed files are that, and whether proto/ breaks what is published.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readmeWithTable } from './generate/functions-table.ts';
import { allRoutes, openApiDocument } from './generate/openapi.ts';
import { accountsConf } from './registry/nats-users/accounts-conf.ts';
import { shopUsers } from './registry/nats-users/shop-users.ts';
import { repository } from './registry/repository.ts';
import { checkPublished } from './ship/breaking.ts';
import { runTool } from './ship/tool.ts';

const BUF = 'node_modules/@bufbuild/buf/bin/buf';
const GENERATED = 'functions/gen';
const ACCOUNTS = 'infra/nats/accounts.conf';
const README = 'functions/README.md';
/** Beside what is in GENERATED. */
const SINGLE = [ACCOUNTS, README];

async function generateInto(folder: string): Promise<void> {
  const code = await runTool(BUF, ['generate', 'proto', '--template', 'proto/buf.gen.yaml', '--output', folder]);
  if (code !== 0) throw new Error(`buf could not generate code from proto/ (exit code ${code}); see above`);
  const document = `${JSON.stringify(openApiDocument(await allRoutes()), null, 2)}\n`;
  await writeFile(path.join(folder, GENERATED, 'openapi.json'), document);
  await mkdir(path.join(folder, path.dirname(ACCOUNTS)), { recursive: true });
  await writeFile(path.join(folder, ACCOUNTS), accountsConf(await shopUsers()));
  await writeFile(path.join(folder, README), await readmeWithTable());
}

/** Path below `folder` → content, of every file. */
async function readAll(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const contents = files
    .sort()
    .map(async (file) => [path.relative(folder, file), await readFile(file, 'utf8')] as const);
  return new Map(await Promise.all(contents));
}

/** Generated files that are not what they would be now: changed, missing or left over. */
async function outdated(): Promise<string[]> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-generate-'));
  try {
    await generateInto(folder);
    const wanted = await readAll(path.join(folder, GENERATED));
    const committed = await readAll(path.join(repository, GENERATED));
    const names = new Set([...wanted.keys(), ...committed.keys()]);
    const [made, there] = await Promise.all(
      [folder, repository].map((root) => Promise.all(SINGLE.map((file) => readFile(path.join(root, file), 'utf8')))),
    );
    return [
      ...[...names].filter((name) => wanted.get(name) !== committed.get(name)).map((name) => `${GENERATED}/${name}`),
      ...SINGLE.filter((_, index) => made?.[index] !== there?.[index]),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function check(): Promise<void> {
  if ((await runTool(BUF, ['lint', 'proto'])) !== 0) throw new Error('proto/ does not pass buf lint; see above');
  await checkPublished();
  const files = await outdated();
  if (files.length === 0) return console.log(`${[GENERATED, ...SINGLE].join(', ')} are what the sources generate`);
  const list = files.map((file) => `  ${file}`).join('\n');
  throw new Error(`Not what the sources generate; run \`npm run generate\`:\n${list}`);
}

try {
  await (process.argv.includes('--check') ? check() : generateInto(repository));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
