/** Projectors that keep one row an aggregate, as they declare it → those whose row of an aggregate is older than its events. */

import type { ProjectorDefinition } from '../../../functions/runtime/handling/projection.ts';
import type { Database } from '../../../functions/runtime/postgres.ts';
import { readDefinitions } from '../../registry/functions.ts';
import type { AggregateVersion, LateRow } from './wire.ts';

export type ReadModel = Pick<ProjectorDefinition, 'table' | 'key' | 'consumes'>;

const isProjector = (definition: object): definition is ProjectorDefinition =>
  'kind' in definition && definition.kind === 'projector';

export const readModels = async (): Promise<readonly ReadModel[]> =>
  (await readDefinitions()).flatMap((definition) => (isProjector(definition) ? [definition] : []));

/** Pure. Whether its table has one row for each aggregate of this name. */
export const showsNewest = ({ key }: Pick<ReadModel, 'key'>, name: string): boolean =>
  key.length === 1 && key[0] === `${name}_id`;

/** Pure. The version that a read model has once it has taken all events that it consumes; 0 when there is none for it. */
export const expectedVersion = (
  { consumes }: Pick<ReadModel, 'consumes'>,
  versions: readonly Pick<AggregateVersion, 'type' | 'version'>[],
): number => versions.findLast(({ type }) => consumes.includes(type))?.version ?? 0;

async function versionIn(database: Database, { table, key }: ReadModel, id: string): Promise<number> {
  const text = `select version from ${table} where ${key[0]} = $1`;
  const { rows } = await database.query<{ version: number }>({ text, values: [id] });
  return rows[0]?.version ?? 0;
}

/** `version` is 0 where there is no row yet. */
export async function lateRows(
  database: Database,
  models: readonly ReadModel[],
  name: string,
  id: string,
  versions: readonly AggregateVersion[],
): Promise<LateRow[]> {
  const own = models.filter((model) => showsNewest(model, name));
  const rows = own.map(async (model) => ({ model, version: await versionIn(database, model, id) }));
  return (await Promise.all(rows))
    .filter(({ model, version }) => version < expectedVersion(model, versions))
    .map(({ model: { table }, version }) => ({ table, version }));
}
