/** SQL files of infra/postgres/migrations → the database brought up to date, what ran before is not run again; then the rights of roles.sql. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PG_MIGRATE_LOCK_ID, runner } from 'node-pg-migrate';
import pg from 'pg';
import { repository } from '../../../registry/repository.ts';

/** Two at once wait for each other. */
async function grantRights(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const roles = await readFile(path.join(repository, 'infra/postgres/roles.sql'), 'utf8');
    await client.query(`begin; select pg_advisory_xact_lock(${PG_MIGRATE_LOCK_ID}); ${roles}; commit`);
  } finally {
    await client.end();
  }
}

/** Returns the names of the migrations that ran now. Two at once wait for each other. */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const lines: string[] = [];
  try {
    const done = await runner({
      databaseUrl,
      dir: path.join(repository, 'infra/postgres/migrations'),
      direction: 'up',
      migrationsTable: 'migrations',
      checkOrder: true,
      advisoryLockMode: 'wait',
      log: (line) => void lines.push(line),
    });
    await grantRights(databaseUrl);
    return done.map(({ name }) => name);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const said = lines.filter((line) => line.trim() !== '').slice(-5);
    throw new Error(`infra/postgres/migrations and roles.sql did not run: ${[why, ...said].join('\n  ')}`, {
      cause: error,
    });
  }
}
