/** A function → the role in Postgres whose rights it has, as infra/postgres/migrations makes them. Pure. */
import type { Definition } from '../../functions/runtime/function.ts';

export type Caller = Pick<Definition, 'kind'> & {
  readonly name: string;
  readonly context: string;
  /** Names of settings. */
  readonly needs: readonly string[];
};

/** `<context>_<kind>`, and of an HTTP function its own name; undefined for one that needs no database. */
export function roleOf({ name, context, kind, needs }: Caller): string | undefined {
  if (!needs.includes('DATABASE_URL')) return undefined;
  return kind === 'http' ? name.replaceAll('-', '_') : `${context}_${kind}`;
}
