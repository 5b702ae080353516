/** `millrace rebuild <projector>`: finds the projector and the database, and builds the table anew. */
import pg from 'pg';
import type { Definition } from '../../../functions/runtime/function.ts';
import type { ProjectorDefinition } from '../../../functions/runtime/projector.ts';
import { listFunctions } from '../../registry/functions.ts';
import { type Environment, serverUrl, UsageError } from '../cli.ts';
import { rebuild } from './rebuild.ts';

type Arguments = { readonly name: string; readonly database?: string };

function readArguments(args: readonly string[]): Arguments {
  const rest = [...args];
  const at = rest.indexOf('--database');
  const [, database] = at < 0 ? [] : rest.splice(at, 2);
  if (at >= 0 && !database) throw new UsageError('--database needs a URL, such as postgres://user@host:5432/name');
  const option = rest.find((arg) => arg.startsWith('-'));
  if (option) throw new UsageError(`there is no option ${option}`);
  const [name, ...more] = rest;
  if (!name) throw new UsageError('the projector to rebuild is missing');
  if (more.length > 0) throw new UsageError(`one projector at a time, not also ${more.join(' ')}`);
  return database ? { name, database } : { name };
}

const isProjector = (definition: Definition): definition is Definition & ProjectorDefinition =>
  definition.kind === 'projector';

async function findProjector(name: string): Promise<ProjectorDefinition> {
  const functions = await listFunctions();
  const definitions = await Promise.all(
    functions.map(async ({ name, source }) => {
      const { default: definition } = (await import(source)) as { default: Definition };
      return { name, definition };
    }),
  );
  const projectors = definitions.flatMap(({ name, definition }) =>
    isProjector(definition) ? [{ name, definition }] : [],
  );
  const found = projectors.find((projector) => projector.name === name);
  if (found) return found.definition;
  const what = definitions.some((one) => one.name === name)
    ? `${name} is no projector`
    : `there is no projector '${name}'`;
  throw new UsageError(`${what}; there are ${projectors.map((projector) => projector.name).join(', ')}`);
}

/** As it may be shown: without user and password. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

export async function rebuildCommand(args: readonly string[], environment: Environment = process.env): Promise<void> {
  const { name, database: given } = readArguments(args);
  const projector = await findProjector(name);
  const url = serverUrl('postgres', given, environment);
  const database = new pg.Pool({ connectionString: url, max: 3, application_name: 'millrace-rebuild' });
  database.on('error', () => undefined);
  try {
    console.log(`${name}: builds ${projector.table} anew from the event store, in ${placeOf(url)}`);
    const { rows, lockedMs: _ } = await rebuild(database, projector, (line) => console.log(line));
    console.log(`${name}: done, ${rows} rows`);
  } finally {
    await database.end();
  }
}
