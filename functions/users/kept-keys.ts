/** The public keys of access tokens, kept in Postgres: who has it can verify tokens while user-service is away. */
import type { Queries } from '../runtime/postgres.ts';

/** `jwks` is a JWK set in JSON, of public keys alone; it takes the place of the one before. */
export async function keepKeySet(database: Queries, jwks: string): Promise<void> {
  await database.query(
    'insert into signing_keys (jwks) values ($1) on conflict (only_row) do update set jwks = excluded.jwks',
    [jwks],
  );
}

/** The set that was kept last, or undefined when there was never one. */
export async function keptKeySet(database: Queries): Promise<string | undefined> {
  const { rows } = await database.query<{ jwks: string }>('select jwks::text as jwks from signing_keys');
  return rows[0]?.jwks;
}
