/** What is wanted → what Postgres must have for it: the table of a projector, and a role that may use what it needs. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { databaseSettings } from '../../functions/runtime/postgres.ts';
import { roleOf } from '../registry/postgres-roles.ts';
import { repository } from '../registry/repository.ts';
import { tableOf } from './names.ts';
import type { Request } from './request.ts';

export const MIGRATIONS = 'infra/postgres/migrations';

/** All that there is of migrations. */
export const migrations = (): string =>
  globSync(`${MIGRATIONS}/*.sql`, { cwd: repository })
    .map((file) => readFileSync(path.join(repository, file), 'utf8'))
    .join('\n');

/** The role of the function; undefined for one that needs no database. */
export const roleFor = ({ kind, context, name }: Request): string | undefined =>
  roleOf({ kind, context, name, settings: kind === 'policy' ? {} : databaseSettings });

export const hasRole = (request: Request): boolean =>
  new RegExp(`\\bto [^;]*\\b${roleFor(request)}\\b`).test(migrations());

/** A role is the cluster's: another database may have made it. */
const newRole = (role: string): string => `do $$ begin
  if not exists (select from pg_roles where rolname = '${role}') then
    create role ${role} nologin;
  end if;
exception when duplicate_object or unique_violation then null;
end $$;
grant usage on schema public to ${role};
`;

const table = (name: string): string => `create table ${name} (
  order_id uuid primary key,
  version  integer not null
);
`;

/** The path and the text of the migration that is needed, if one is. */
export function migrationOf(request: Request): readonly [file: string, text: string] | undefined {
  const { kind, name } = request;
  const role = roleFor(request);
  if (role === undefined) return undefined;
  const isNew = !hasRole(request);
  const parts = [
    ...(kind === 'projector' ? [table(tableOf(name))] : []),
    ...(isNew ? [newRole(role)] : []),
    ...(kind === 'projector' ? [`grant select, insert, update on ${tableOf(name)} to ${role};\n`] : []),
    ...(isNew && kind === 'http' ? [`grant select on signing_keys to ${role};\n`] : []),
  ];
  if (parts.length === 0) return undefined;
  const last = Math.max(...globSync('*.sql', { cwd: path.join(repository, MIGRATIONS) }).map(Number.parseFloat));
  const file = `${MIGRATIONS}/${String(last + 1).padStart(4, '0')}_${name.replaceAll('-', '_')}.sql`;
  return [file, `-- Up Migration\n\n${parts.join('\n')}`];
}
