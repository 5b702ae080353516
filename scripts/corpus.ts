/** `npm run corpus -- <aggregate> <id> <name>`: an aggregate of the database → a file of its context's corpus, which all later code must read. */
import pg from 'pg';
import { serverUrl } from './cli/cli.ts';
import { readContexts } from './registry/contexts.ts';
import { keepHistory } from './registry/corpus.ts';

const USAGE = 'usage: npm run corpus -- <aggregate> <id> <name>, with the id of one in the database';

async function keep([of, id, name, ...more]: readonly string[]): Promise<string> {
  if (!of || !id || !name || more.length > 0) throw new Error(USAGE);
  const all = (await readContexts()).flatMap((context) =>
    (context.aggregates ?? []).map((declared) => ({ context, declared })),
  );
  const names = all.map(({ declared }) => declared.aggregate.name);
  const found = all[names.indexOf(of)];
  if (!found) throw new Error(`there is no aggregate '${of}'; there are ${names.join(', ')}`);
  const database = new pg.Pool({ connectionString: serverUrl('postgres', undefined, process.env), max: 1 });
  try {
    return await keepHistory(database, found.context, found.declared, id, name);
  } finally {
    await database.end();
  }
}

try {
  console.log(`kept ${await keep(process.argv.slice(2))}; say in \`about\` what it is`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
