/** Prepared statements and transactions of this service; while Postgres does not answer, `unavailable`. */
import type pg from 'pg';
import { type Database, databaseError, type Queries, transaction } from '../../runtime/postgres.ts';

export type Statement = { readonly name: string; readonly text: string };

/** The rows that a statement gives. */
export async function query<Row extends object>(
  queries: Queries,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  try {
    return (await queries.query<Row>({ name, text, values: [...values] })).rows;
  } catch (error) {
    throw databaseError(error);
  }
}

/** All that `work` stores, or nothing when it throws. */
export async function together<Result>(
  database: Database,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  try {
    return await transaction(database, work);
  } catch (error) {
    throw databaseError(error);
  }
}
