/** A function → the role in Postgres whose rights it has, as infra/postgres/roles.sql makes it. Pure. */
import type { Definition } from '../../functions/runtime/function.ts';

export type Caller = Pick<Definition, 'kind' | 'ownRole'> & {
  readonly name: string;
  readonly context: string;
  /** By name. */
  readonly settings: object;
};

/** `<context>_<kind>`, or `<context>_<name>` of one with a role of its own, and of an HTTP function its own name; undefined for one that needs no database. */
export function roleOf({ name, context, kind, settings, ownRole }: Caller): string | undefined {
  if (!('DATABASE_URL' in settings)) return undefined;
  const role = kind === 'http' ? name : `${context}_${ownRole ? name : kind}`;
  return role.replaceAll('-', '_');
}
