/** The tables of a projector and those that are built beside them: made alike, compared, and swapped under a lock. */
import type pg from 'pg';
import type { ProjectorDefinition } from '../../../functions/runtime/handling/projection.ts';
import type { Queries } from '../../../functions/runtime/postgres.ts';

type Tables = Pick<ProjectorDefinition, 'table' | 'key' | 'applied' | 'tables' | 'consumes'>;

/** What the names of the tables that are built end in. */
export const FRESH = '_rebuild';

const sameKey = (key: readonly string[]): string =>
  key.map((column) => `live.${column} = fresh.${column}`).join(' and ');

export async function dropFresh(database: pg.Pool, { tables }: Tables): Promise<void> {
  for (const table of tables) await database.query(`drop table if exists ${table}${FRESH}`);
}

/** Like the live ones, indexes included; empty, and without what a rebuild that was ended before its time has left. */
export async function createFresh(database: pg.Pool, projector: Tables): Promise<void> {
  await dropFresh(database, projector);
  for (const table of projector.tables)
    await database.query(`create table ${table}${FRESH} (like ${table} including all)`);
}

export async function analyzeFresh(database: pg.Pool, { tables }: Tables): Promise<void> {
  for (const table of tables) await database.query(`analyze ${table}${FRESH}`);
}

/** What the live tables show and the fresh ones do not: rows or ids of events, each as `live`. */
const beyondFresh = ({ table, key, applied }: Tables): string =>
  applied
    ? `from ${applied} live left join ${applied}${FRESH} fresh using (event_id) where fresh.event_id is null`
    : `from ${table} live left join ${table}${FRESH} fresh on ${sameKey(key)}
       where (fresh.version is null or fresh.version < live.version)`;

/** How much of that there is: rows, or events that were added. */
export async function countBehind(database: Queries, projector: Tables): Promise<number> {
  const { rows } = await database.query<{ count: number }>(`select count(*)::int as count ${beyondFresh(projector)}`);
  return rows[0]?.count ?? 0;
}

/**
 * Ids of aggregates of which the live tables show more than the fresh ones. What the live ones do not show either is still
 * on its way, and is written to whichever has the name when it comes.
 */
export async function aggregatesBehind(database: Queries, projector: Tables, name: string): Promise<string[]> {
  const ofEvents = `select distinct event.${name}_id as id from ${name}_events event
    where type = any($1) and event_id in (select live.event_id ${beyondFresh(projector)})`;
  const ofRows = `select distinct live.${name}_id as id ${beyondFresh(projector)}`;
  const { rows } = projector.applied
    ? await database.query<{ id: string }>(ofEvents, [projector.consumes])
    : await database.query<{ id: string }>(ofRows);
  return rows.map(({ id }) => id);
}

export type Comparison = {
  readonly same: number;
  /** Not the same; of newest rows at the same version. */
  readonly changed: number;
  readonly added: number;
};

/** Rows of the fresh table beside the live ones; newest rows at another version, because events go on, are in no count. */
export async function compare(database: pg.Pool, { table, key, applied }: Tables): Promise<Comparison> {
  const [first = ''] = key;
  const { rows } = await database.query<Comparison>(
    `select count(*) filter (where to_jsonb(live) = to_jsonb(fresh))::int as same,
       count(*) filter (where ${applied ? `live.${first} is not null` : 'live.version = fresh.version'}
         and to_jsonb(live) <> to_jsonb(fresh))::int as changed,
       count(*) filter (where live.${first} is null)::int as added
     from ${table} live right join ${table}${FRESH} fresh on ${sameKey(key)}`,
  );
  return rows[0] ?? { same: 0, changed: 0, added: 0 };
}

export async function countFresh(database: pg.Pool, { table }: Tables): Promise<number> {
  const { rows } = await database.query<{ count: number }>(`select count(*)::int as count from ${table}${FRESH}`);
  return rows[0]?.count ?? 0;
}

/** Statements that give the fresh table the owner and the rights of the live one. */
const RIGHTS = `
  select format('alter table %I owner to %I', $2::text, pg_get_userbyid(relowner)) as sql
  from pg_class where oid = $1::regclass and relowner <> (select oid from pg_roles where rolname = current_user)
  union all
  select format('grant %s on %I to %s%s', privilege_type, $2::text,
    case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
    case when is_grantable then ' with grant option' else '' end)
  from pg_class, aclexplode(relacl) where oid = $1::regclass`;

/** The indexes of both tables in pairs, by what they index. */
const INDEXES = `
  with index as (
    select indrelid, relname as name, row_number() over (partition by indrelid, definition, indisunique order by relname) as nth,
      definition, indisunique
    from (select indrelid, relname, indisunique, regexp_replace(pg_get_indexdef(indexrelid), '^.*? USING ', '') as definition
          from pg_index join pg_class on pg_class.oid = indexrelid) as any_index
  )
  select live.name as live, fresh.name as fresh
  from (select * from index where indrelid = $1::regclass) live
  full join (select * from index where indrelid = $2::regclass) fresh using (definition, indisunique, nth)`;

async function replaceOne(client: pg.PoolClient, live: string): Promise<void> {
  const fresh = live + FRESH;
  const indexes = await client.query<{ live: string | null; fresh: string | null }>(INDEXES, [live, fresh]);
  const odd = indexes.rows.find((pair) => pair.live === null || pair.fresh === null);
  if (odd)
    throw new Error(`${live} was altered during the rebuild (index ${odd.live ?? odd.fresh}); run the rebuild again`);
  const rights = await client.query<{ sql: string }>(RIGHTS, [live, fresh]);
  await client.query(`drop table ${live}`);
  for (const { sql } of rights.rows) await client.query(sql);
  await client.query(`alter table ${fresh} rename to ${live}`);
  for (const pair of indexes.rows) await client.query(`alter index "${pair.fresh}" rename to "${pair.live}"`);
}

/** The fresh tables take the live ones' places, names, rights and names of indexes; the old ones are dropped. In a transaction. */
export async function replaceLive(client: pg.PoolClient, { tables }: Tables): Promise<void> {
  for (const table of tables) await replaceOne(client, table);
}
