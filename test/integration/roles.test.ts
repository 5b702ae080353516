import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { migrate } from '../../scripts/platform/servers/postgres/migrate.ts';
import { openLogins } from '../../scripts/platform/servers/postgres/postgres-logins.ts';
import { readContexts } from '../../scripts/registry/contexts.ts';
import { readDefinitions } from '../../scripts/registry/functions.ts';
import { rolesOf, tablesOf } from '../../scripts/registry/postgres-rights.ts';
import { roleOf } from '../../scripts/registry/postgres-roles.ts';
import { repository } from '../../scripts/registry/repository.ts';
import { type Backends, startBackends } from '../support/backends.ts';

let backends: Backends;
const DENIED = 'permission denied';

beforeAll(async () => {
  backends = await startBackends();
});

afterAll(() => backends?.stop());

const declared = { contexts: await readContexts(), functions: await readDefinitions() };
const roles = rolesOf(declared);
const DECLARED_ELSEWHERE = Object.keys(Object.assign({}, ...declared.contexts.map((context) => context.roles ?? {})));

/** What a statement gives whoever has just the rights of the role; nothing of it stays. */
async function as(role: string, statement: string): Promise<pg.QueryResult> {
  const client = await backends.database.connect();
  try {
    await client.query('begin');
    await client.query(`set local role ${role}`);
    return await client.query(statement);
  } finally {
    await client.query('rollback');
    client.release();
  }
}

test('every function that needs the database has a role, and every role is for a function or declared by a context', async () => {
  const { rows } = await backends.database.query<{ name: string }>(
    `select distinct grantee::regrole::text as name from pg_namespace, aclexplode(nspacl)
     where nspname = 'public' and grantee <> 0 and grantee <> nspowner`,
  );
  const wanted = new Set([...declared.functions.flatMap((fn) => roleOf(fn) ?? []), ...DECLARED_ELSEWHERE]);
  expect(rows.map(({ name }) => name).sort()).toEqual([...wanted].sort());
});

test('every table is declared by a context, and a context declares none that no migration makes', async () => {
  const { rows } = await backends.database.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'migrations' order by name`,
  );
  expect([...tablesOf(declared).keys()].sort()).toEqual(rows.map(({ name }) => name));
});

/** What a role may do to a table, as `has_table_privilege` and `has_column_privilege` see it. */
async function rightsOf(role: string, table: string): Promise<string[]> {
  const { rows } = await backends.database.query<{ right: string }>(
    `select format('%s (%s)', privilege, attname) as right
     from unnest(array['select', 'insert', 'update']) as privilege, pg_attribute
     where attrelid = $2::regclass and attnum > 0 and not attisdropped
       and has_column_privilege($1, attrelid, attnum, privilege)
     union all
     select privilege from unnest(array['delete', 'truncate']) as privilege where has_table_privilege($1, $2, privilege)`,
    [role, table],
  );
  return rows.map(({ right }) => right).sort();
}

/** The same, of what is declared. */
async function declaredOf(table: string, privileges: readonly string[]): Promise<string[]> {
  const { rows } = await backends.database.query<{ attname: string }>(
    'select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped',
    [table],
  );
  const all = rows.map(({ attname }) => attname);
  const rights = privileges.flatMap((text) =>
    [...text.matchAll(/(\w+)(?: \(([^)]*)\))?/g)].flatMap(([, privilege = '', columns]) =>
      privilege === 'delete' ? [privilege] : (columns?.split(', ') ?? all).map((column) => `${privilege} (${column})`),
    ),
  );
  return [...new Set(rights)].sort();
}

test.each(roles)('$name has just the rights that are declared, on every table', async ({ name, grants }) => {
  for (const table of tablesOf(declared).keys()) {
    const privileges = grants.filter((grant) => grant.table === table).map((grant) => grant.privileges);
    expect(await rightsOf(name, table), table).toEqual(await declaredOf(table, privileges));
  }
});

test.each([
  ['orders_projector', 'select from users'],
  ['orders_projector', 'insert into order_events select * from order_events'],
  ['orders_projector', 'delete from order_view'],
  ['queries_api', 'select password_hash from users'],
  ['queries_api', 'update products set stock = 0'],
  ['queries_api', 'select refusal from commands'],
  ['commands_api', 'select password_hash from users'],
  ['commands_api', 'insert into order_events select * from order_events'],
  ['commands_api', 'select from order_events'],
  ['orders_command', 'select from users'],
  ['orders_command', 'update order_events set version = 1'],
  ['orders_command', 'delete from order_snapshots'],
  ['queries_api', 'select from order_snapshots'],
  ['orders_command', 'update products set price_minor = 0'],
  ['users_service', "update users set role = 'staff'"],
  ['users_service', "insert into users (user_id, role) values (gen_random_uuid(), 'staff')"],
  ['users_service', 'select data from outbox'],
  ['notifications_notifier', 'select from users'],
  ['commands_api', 'select secret from webhook_secrets'],
  ['commands_api', "update webhook_secrets set secret = 'x'"],
  ['commands_api', "update webhook_deliveries set event = 'x'"],
  ['queries_api', 'select secret from webhook_secrets'],
  ['notifications_notifier', 'select secret from webhook_secrets'],
  ['notifications_notifier', 'select from webhook_endpoints'],
  ['notifications_webhooks', 'select from notifications'],
  ['notifications_webhooks', "update webhook_endpoints set url = 'x'"],
  ['platform_relay', 'insert into outbox select * from outbox'],
  ['outbox_reader', 'select data from outbox'],
  ['outbox_reader', 'delete from outbox'],
  ['outbox_reader', 'select from order_events'],
])('%s may not: %s', async (role, statement) => {
  await expect(as(role, statement)).rejects.toThrow(DENIED);
});

test('KEDA can count what is left in the outbox, by the query of the scaling rule', async () => {
  const rule = await readFile(path.join(repository, 'knative/functions/outbox-relay/scaledobject.yaml'), 'utf8');
  const query = /query: (.*)/.exec(rule)?.[1] ?? '';
  expect((await as('outbox_reader', query)).rows).toEqual([{ count: '0' }]);
});

test.each([
  'create table more ()',
  'create schema more',
  'alter table outbox add column more text',
  'drop table outbox',
  'truncate outbox',
  'create role more',
])('no role can: %s', async (statement) => {
  for (const { name } of roles)
    await expect(as(name, statement), name).rejects.toThrow(/permission denied|must be owner/);
});

test('what is nobody’s role reads nothing', async () => {
  await expect(as('pg_monitor', 'select from public.products')).rejects.toThrow('permission denied for schema public');
});

test('a login of a function has the rights of its role, and no statement of it takes longer than 10 s', async () => {
  const url = new URL(inject('postgresLogins')['order-view'] ?? '');
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  const { rows } = await client.query(
    `select current_user as login, current_setting('statement_timeout') as longest,
       pg_has_role('orders_projector', 'usage') as projects, pg_has_role('users_service', 'usage') as serves`,
  );
  await client.end();
  expect(rows).toEqual([{ login: url.username, longest: '10s', projects: true, serves: false }]);
});

test('a function whose role was not generated yet gets no login, and the error says what to run', async () => {
  const secrets = await mkdtemp(path.join(os.tmpdir(), 'millrace-logins-'));
  const early = { name: 'parcel-view', context: 'parcels', kind: 'projector', settings: { DATABASE_URL: {} } } as const;
  const opened = openLogins(inject('postgresUrl'), [early], secrets);
  await expect(opened).rejects.toThrow(/"parcels_projector" does not exist.*npm run generate/);
  await rm(secrets, { recursive: true });
});

test('a migration takes what is not declared from everybody, and leaves tables of another owner alone', async () => {
  const [name, gone] = [`undeclared_${process.pid}`, `gone_${process.pid}`];
  const url = new URL(inject('postgresUrl').replace(/\/postgres$/, `/${name}`));
  const owner = `owner_${process.pid}`;
  await backends.database.query(`create role ${gone}; create role ${owner} login`);
  await backends.database.query(`create database ${name} owner ${owner}`);
  const admin = new pg.Client(url.href);
  await admin.connect();
  url.username = owner;
  await migrate(url.href);
  await admin.query(`create table theirs (id int); grant select on theirs to ${gone}; grant update on products to ${gone};
    grant select (stock) on products to ${gone}, public; grant delete on products to queries_api`);
  await migrate(url.href);
  const { rows } = await admin.query(
    `select has_table_privilege($1, 'theirs', 'select') as theirs, has_table_privilege($1, 'products', 'update') as updates,
       has_column_privilege($1, 'products', 'stock', 'select') as reads, has_table_privilege('queries_api', 'products', 'delete') as deletes,
       has_table_privilege('queries_api', 'products', 'select') as declared`,
    [gone],
  );
  await admin.end();
  await backends.database.query(`drop database ${name}`);
  await backends.database.query(`drop role ${gone}, ${owner}`);
  expect(rows).toEqual([{ theirs: true, updates: false, reads: false, deletes: false, declared: true }]);
});

test('databases of one cluster can be migrated at the same time, and a second time', async () => {
  const names = Array.from({ length: 4 }, (_, index) => `roles_${process.pid}_${index}`);
  const urlOf = (name: string): string => inject('postgresUrl').replace(/\/postgres$/, `/${name}`);
  for (const name of names) await backends.database.query(`create database ${name}`);
  const first = await Promise.all(names.map((name) => migrate(urlOf(name))));
  const second = await Promise.all(names.map((name) => migrate(urlOf(name))));
  for (const name of names) await backends.database.query(`drop database ${name}`);
  for (const done of first) expect(done).toContain('0006_roles');
  expect(second).toEqual(names.map(() => []));
});
