/** A function → the role in Postgres whose rights it has, as infra/postgres/migrations makes them. Pure. */
import type { Definition } from '../../functions/runtime/function.ts';

export type Caller = Pick<Definition, 'kind' | 'ownRole'> & {
  readonly name: string;
  readonly context: string;
  /** Names of settings. */
  readonly needs: readonly string[];
};

/** `<context>_<kind>`, or `<context>_<name>` of one with a role of its own, and of an HTTP function its own name; undefined for one that needs no database. */
export function roleOf({ name, context, kind, needs, ownRole }: Caller): string | undefined {
  if (!needs.includes('DATABASE_URL')) return undefined;
  if (kind === 'http') return name.replaceAll('-', '_');
  return `${context}_${ownRole ? name.replaceAll('-', '_') : kind}`;
}
