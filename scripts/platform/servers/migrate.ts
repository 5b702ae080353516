/** SQL files of infra/postgres/migrations → the database brought up to date: what ran before is not run again, all or nothing. */
import path from 'node:path';
import { runner } from 'node-pg-migrate';
import { repository } from '../../registry/repository.ts';

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
    return done.map(({ name }) => name);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const said = lines.filter((line) => line.trim() !== '').slice(-5);
    throw new Error(`The migrations of infra/postgres/migrations did not run: ${[why, ...said].join('\n  ')}`, {
      cause: error,
    });
  }
}
