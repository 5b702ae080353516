/** What is wanted → the migration that makes its tables, where it has any. Who may use them follows from what is declared. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../cli/cli.ts';
import { repository } from '../registry/repository.ts';
import { snake, tableOf } from './names.ts';
import { keyOf } from './projector.ts';
import type { NewContext, NewFunction } from './request.ts';

const MIGRATIONS = 'infra/postgres/migrations';

const migrations = (): string[] => globSync('*.sql', { cwd: path.join(repository, MIGRATIONS) }).sort();

const isThere = (table: string): boolean =>
  migrations().some((file) =>
    new RegExp(`create table ${table}\\b`).test(readFileSync(path.join(repository, MIGRATIONS, file), 'utf8')),
  );

const eventTables = (aggregate: string): string => `-- ${aggregate}: event-sourced
create table ${aggregate}_events (
  ${aggregate}_id uuid not null,
  version        integer not null check (version > 0),
  event_id       text not null,
  type           text not null,
  schema_version smallint not null default 1,
  data           json not null,
  command_id     uuid not null,
  actor          text not null,
  trace_id       text not null,
  correlation_id uuid,
  occurred_at    timestamptz not null,
  primary key (${aggregate}_id, version)
);

-- The state of each with many events. The events are the truth: any row can be deleted.
create table ${aggregate}_snapshots (
  ${aggregate}_id uuid primary key,
  version        integer not null,
  schema_version smallint not null,
  state          json not null
);
`;

const rowTable = (table: string, key: string): string => `create table ${table} (
  ${key} uuid primary key,
  version integer not null
);
`;

const totalsTables = (table: string): string => `create table ${table} (
  name  text primary key,
  total bigint not null default 0
);

-- The events that are in the totals: so that a repeat adds nothing.
create table ${table}_applied (
  event_id text primary key
);
`;

type Tables = { readonly tables: readonly string[]; readonly text: string };

function tablesOf(request: NewContext | NewFunction): Tables | undefined {
  if (request.kind === 'context') {
    const name = snake(request.aggregate);
    return { tables: [`${name}_events`, `${name}_snapshots`], text: eventTables(name) };
  }
  const table = tableOf(request.name);
  if (request.kind === 'projector') return { tables: [table], text: rowTable(table, keyOf(request)) };
  if (request.kind === 'totals') return { tables: [table, `${table}_applied`], text: totalsTables(table) };
  return undefined;
}

/** The path and the text of the migration; undefined when none is needed. Throws UsageError when a table is there already. */
export function migrationOf(request: NewContext | NewFunction): readonly [file: string, text: string] | undefined {
  const wanted = tablesOf(request);
  if (!wanted) return undefined;
  const there = wanted.tables.find(isThere);
  if (there) throw new UsageError(`the table ${there} is there already, in ${MIGRATIONS}: choose another name`);
  const last = Math.max(...migrations().map(Number.parseFloat));
  const file = `${MIGRATIONS}/${String(last + 1).padStart(4, '0')}_${snake(request.name)}.sql`;
  return [file, `-- Up Migration\n\n${wanted.text}`];
}
