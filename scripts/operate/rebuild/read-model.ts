/** A read model's table and the one that is built beside it: made alike, compared, and swapped under a lock. */
import type pg from 'pg';
import type { ProjectorDefinition } from '../../../functions/runtime/projector.ts';

type Table = Pick<ProjectorDefinition, 'table' | 'key'>;

/** The table that is built: like the live one, indexes included. */
export const freshOf = <Projector extends Table>(projector: Projector): Projector => ({
  ...projector,
  table: `${projector.table}_rebuild`,
});

const sameKey = (key: readonly string[]): string =>
  key.map((column) => `live.${column} = fresh.${column}`).join(' and ');

/** Empty, and without what a rebuild that was ended before its time has left. */
export async function createFresh(database: pg.Pool, projector: Table): Promise<void> {
  const fresh = freshOf(projector).table;
  await database.query(`drop table if exists ${fresh}`);
  await database.query(`create table ${fresh} (like ${projector.table} including all)`);
}

export const dropFresh = (database: pg.Pool, projector: Table) =>
  database.query(`drop table if exists ${freshOf(projector).table}`);

/**
 * Ids of aggregates of which the live table shows more than the fresh one. What the live table does not show either is
 * still on its way, and is written to whichever of the two has the name when it comes.
 */
export async function behind(
  database: Pick<pg.ClientBase, 'query'> | pg.Pool,
  { table, key }: Table,
  aggregate: string,
  among?: readonly string[],
): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>(
    `select distinct live.${aggregate}_id as id from ${table} live
     left join ${table}_rebuild fresh on ${sameKey(key)}
     where (fresh.version is null or fresh.version < live.version)
       and ($1::text[] is null or live.${aggregate}_id = any($1::uuid[]))`,
    [among ?? null],
  );
  return rows.map(({ id }) => id);
}

export type Comparison = {
  readonly same: number;
  /** At the same version, and not the same. */
  readonly changed: number;
  readonly added: number;
};

/** Rows of the fresh table beside the live ones; those at another version, because orders go on, are in no count. */
export async function compare(database: pg.Pool, { table, key }: Table): Promise<Comparison> {
  const [first = ''] = key;
  const { rows } = await database.query<Comparison>(
    `select count(*) filter (where to_jsonb(live) = to_jsonb(fresh))::int as same,
       count(*) filter (where live.version = fresh.version and to_jsonb(live) <> to_jsonb(fresh))::int as changed,
       count(*) filter (where live.${first} is null)::int as added
     from ${table} live right join ${table}_rebuild fresh on ${sameKey(key)}`,
  );
  return rows[0] ?? { same: 0, changed: 0, added: 0 };
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

/** The fresh table takes the live one's place, name, rights and names of indexes; the old one is dropped. In a transaction. */
export async function replaceLive(client: pg.PoolClient, projector: Table): Promise<void> {
  const [live, fresh] = [projector.table, freshOf(projector).table];
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
