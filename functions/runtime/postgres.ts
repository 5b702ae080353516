/** A pool of Postgres connections that is closed with the function, and the names of the errors that it meets. */
import pg from 'pg';
import { AppError, unavailable } from './errors.ts';
import type { Shell } from './function.ts';
import { databaseUrl, integer, type Renewed, secretSetting, setting } from './settings.ts';
import { traced } from './telemetry/query-spans.ts';

export const databaseSettings = {
  DATABASE_URL: secretSetting('Postgres, with the login of the function', databaseUrl),
  DATABASE_CONNECTIONS: setting('Connections of one replica at most', integer(1, 100), '8'),
};
export type DatabaseSettings = { readonly DATABASE_URL: Renewed; readonly DATABASE_CONNECTIONS: number };

export type Database = Pick<pg.Pool, 'query' | 'connect'>;

/** A pool, or one connection of it: in a transaction, say. */
export type Queries = Pick<pg.ClientBase, 'query'> | Pick<pg.Pool, 'query'>;

/** SQLSTATEs after which the same work, loaded anew, may succeed: unique, check, serialization, deadlock. */
const CONFLICTS = new Set(['23505', '23514', '40001', '40P01']);

const sqlState = (error: unknown): string | undefined => (error instanceof pg.DatabaseError ? error.code : undefined);

export const isConflict = (error: unknown): boolean => CONFLICTS.has(sqlState(error) ?? '');

/** Name of the constraint that a statement broke. */
export const constraintOf = (error: unknown): string | undefined =>
  error instanceof pg.DatabaseError ? error.constraint : undefined;

/**
 * SQLSTATEs that say "not now": connection, login (it may be renewed), resources, operator intervention, system, read-only
 * (failover), lock.
 */
const TRANSIENT = /^(08|28|53|57|58|25006|55P03)/;

const NO_TABLE = '42P01';

/** A failure to reach Postgres, or its restart, as `unavailable`; a table that is missing, with what to do; all else as it is. */
export function databaseError(error: unknown): unknown {
  const state = sqlState(error);
  if (error instanceof Error && state === NO_TABLE)
    return new AppError(
      'internal',
      'missing-table',
      `${error.message}: make it by a migration, and run the migrations`,
      {
        cause: error,
      },
    );
  if (state !== undefined && !TRANSIENT.test(state)) return error;
  if (state === undefined && !(error instanceof Error && isConnectionError(error))) return error;
  return unavailable('database-unavailable', 'Postgres does not answer at the moment; try again', error);
}

const isConnectionError = (error: Error & { code?: string }): boolean =>
  /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)/.test(error.code ?? '') ||
  /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/.test(error.code ?? '') ||
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout)/.test(error.message);

/** Each new connection is made by DATABASE_URL as it is then: a renewed password is taken without a restart. */
function clientOf({ settings, log }: Shell<DatabaseSettings>): typeof pg.Client {
  return class extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super({ ...config, connectionString: settings.DATABASE_URL(log) });
    }
  };
}

/**
 * Opens a pool (lazily: the first query connects). A query that outlasts 10 s fails; so does a connection after 5 s. The
 * server ends such a query by the role's statement_timeout: as a parameter of the connection PgBouncer would refuse it.
 */
export function openDatabase(shell: Shell<DatabaseSettings>): Database {
  const pool = new pg.Pool({
    Client: clientOf(shell),
    max: shell.settings.DATABASE_CONNECTIONS,
    application_name: shell.name,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds: 600,
    keepAlive: true,
  });
  pool.on('error', (error) => shell.log.warn({ error: error.message }, 'lost an idle connection to Postgres'));
  shell.onClose(() => pool.end());
  return traced(pool);
}

/** Runs `work` in one transaction (read committed): all of it, or nothing when it throws. */
export async function transaction<Result>(
  database: Database,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await database.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((problem) => {
      broken = problem;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
