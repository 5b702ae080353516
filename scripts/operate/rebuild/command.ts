/** `millrace rebuild <projector>`: finds the projector, the database and, if need be, NATS, and builds the tables anew. */
import pg from 'pg';
import type { Definition } from '../../../functions/runtime/function.ts';
import type { ProjectorDefinition } from '../../../functions/runtime/handling/projection.ts';
import { type Environment, natsPlace, readOptions, serverUrl, UsageError } from '../../cli/cli.ts';
import { readDefinitions } from '../../registry/functions.ts';
import { connect } from '../dead-letters/command.ts';
import { rebuild } from './rebuild.ts';

type Arguments = { readonly name: string; readonly database: string | undefined; readonly nats: string | undefined };

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = readOptions(args, { database: { type: 'string' }, nats: { type: 'string' } });
  const [name, ...more] = positionals;
  if (!name) throw new UsageError('the projector to rebuild is missing');
  if (more.length > 0) throw new UsageError(`one projector at a time, not also ${more.join(' ')}`);
  return { name, database: values.database, nats: values.nats };
}

const isProjector = <Some extends Definition>(definition: Some): definition is Some & ProjectorDefinition =>
  definition.kind === 'projector';

async function findProjector(name: string): Promise<ProjectorDefinition> {
  const definitions = await readDefinitions();
  const projectors = definitions.filter(isProjector);
  const found = projectors.find((projector) => projector.name === name);
  if (found) return found;
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
  const { name, database: given, nats } = readArguments(args);
  const projector = await findProjector(name);
  const url = serverUrl('postgres', given, environment);
  const database = new pg.Pool({ connectionString: url, max: 3, application_name: 'millrace-rebuild' });
  database.on('error', () => undefined);
  const closers: (() => Promise<void> | void)[] = [() => database.end()];
  try {
    console.log(`${name}: builds ${projector.tables.join(' and ')} anew, in ${placeOf(url)}`);
    const say = (line: string) => console.log(line);
    const toNats = () => connect(natsPlace(nats, environment), (close) => closers.push(close));
    const { rows } = await rebuild(database, projector, say, toNats);
    console.log(`${name}: done, ${rows} rows`);
  } finally {
    for (const close of closers) await close();
  }
}
