/** Contexts and functions → the roles of Postgres, each with the tables that it may use and how. Pure. */
import type { Kind } from '../../functions/runtime/function.ts';
import type { DefinedContext } from './contexts.ts';
import type { DefinedFunction } from './functions.ts';
import { roleOf } from './postgres-roles.ts';

/** `privileges` in the words of Postgres, such as `select, update (stock)`. */
export type Grant = { readonly role: string; readonly table: string; readonly privileges: string };
export type Role = { readonly name: string; readonly for: string; readonly grants: readonly Grant[] };

type Declared = { readonly contexts: readonly DefinedContext[]; readonly functions: readonly DefinedFunction[] };
/** A projector's, or a notifier's, by what builders add to a definition. */
type Own = DefinedFunction & { readonly table?: string; readonly applied?: string; readonly claimsTable?: string };
type Right = readonly [table: string, privileges: string];

const KINDS: readonly Kind[] = ['command', 'projector', 'policy', 'notifier', 'relay', 'http', 'service'];
const APPEND = 'select, insert';
const KEEP = 'select, insert, update';

const fileOf = (context: string): string => `functions/${context}/context.ts`;

/** What the kind of a function implies. */
function implied(fn: Own, { contexts }: Declared): Right[] {
  const { kind, table, applied, claimsTable, context } = fn;
  const aggregates = contexts.find(({ name }) => name === context)?.aggregates ?? [];
  if (kind === 'command')
    return [
      ...aggregates.flatMap(({ aggregate: { name } }): Right[] => [
        [`${name}_events`, APPEND],
        [`${name}_snapshots`, KEEP],
      ]),
      ['commands', APPEND],
      ['outbox', 'select, insert, delete'],
    ];
  if (kind === 'projector')
    return [...(table ? [[table, KEEP] as const] : []), ...(applied ? [[applied, APPEND] as const] : [])];
  if (kind === 'notifier') return claimsTable ? [[claimsTable, KEEP]] : [];
  if (kind === 'relay') return [['outbox', 'select, delete']];
  // It knows what it stored, and reads of others' rows nothing but their ids.
  if (kind === 'service' && fn.publishes.length > 0) return [['outbox', 'select (event_id), insert, delete']];
  return [];
}

/** The tables that each context declares: by name, for its aggregates, and as its projectors' own. */
export function tablesOf({ contexts, functions }: Declared): ReadonlyMap<string, string> {
  const owners = contexts.flatMap(({ name, tables = {}, aggregates = [] }) => {
    const stores = aggregates.flatMap(({ aggregate }) => [`${aggregate.name}_events`, `${aggregate.name}_snapshots`]);
    const written = functions
      .filter(({ context, kind }) => context === name && kind === 'projector')
      .flatMap(({ table, applied }: Own) => [table ?? [], applied ?? []].flat());
    return [...new Set([...Object.keys(tables), ...stores, ...written])].map((table) => [table, name] as const);
  });
  const seen = new Map<string, string>();
  for (const [table, owner] of owners) {
    const other = seen.get(table);
    if (other !== undefined)
      throw new Error(
        `the table ${table} is declared by ${fileOf(other)} and ${fileOf(owner)}: leave it to one of them`,
      );
    seen.set(table, owner);
  }
  return seen;
}

/** The roles that `who` in context.ts means. */
function rolesNamed(who: string, context: DefinedContext, table: string, { contexts, functions }: Declared): string[] {
  if (contexts.some(({ roles = {} }) => Object.hasOwn(roles, who))) return [who];
  const own = functions.filter((fn) => fn.context === context.name && fn.kind === who && !fn.ownRole);
  const named = functions.filter(({ name }) => name === who);
  const gives = `${fileOf(context.name)} gives rights on ${table} to '${who}'`;
  if (named.length === 0 && !KINDS.some((kind) => kind === who))
    throw new Error(`${gives}: write a kind, the name of a function, or one of \`roles\``);
  if (named.some((fn) => roleOf(fn) === undefined))
    throw new Error(`${gives}, which has no database: leave it out, or declare DATABASE_URL in its settings`);
  return [...own, ...named].flatMap((fn) => roleOf(fn) ?? []);
}

/** Throws for a right that cannot be given, and for a table that two contexts declare. */
export function rolesOf(declared: Declared): Role[] {
  const { contexts, functions } = declared;
  const known = tablesOf(declared);
  const grants = new Map<string, Grant>();
  const add = (role: string, [table, privileges]: Right, context: string): void => {
    if (!known.has(table))
      throw new Error(
        `${role} is to use the table ${table}, which no context declares: add it to \`tables\` of ${fileOf(context)}`,
      );
    const key = `${role} ${table} ${privileges}`;
    grants.set(key, { role, table, privileges });
  };
  for (const fn of functions)
    for (const role of [roleOf(fn) ?? []].flat())
      for (const right of implied(fn, declared)) add(role, right, fn.context);
  for (const context of contexts)
    for (const [table, rights] of Object.entries(context.tables ?? {}))
      for (const [who, privileges] of Object.entries(rights))
        for (const role of rolesNamed(who, context, table, declared)) add(role, [table, privileges], context.name);
  const uses = new Map<string, string>(contexts.flatMap(({ roles = {} }) => Object.entries(roles)));
  for (const fn of functions) {
    const role = roleOf(fn);
    const other = functions.find((one) => roleOf(one) === role && (one.context !== fn.context || one.kind !== fn.kind));
    if (role && other)
      throw new Error(
        `the functions ${fn.name} and ${other.name} would share the role ${role} and all its rights: rename one of them`,
      );
    if (role) uses.set(role, [uses.get(role) ?? [], `\`${fn.name}\``].flat().join(', '));
  }
  const placeOf = ({ table, privileges }: Grant): string => `${table} ${privileges}`;
  const order = (a: Grant, b: Grant): number => (placeOf(a) < placeOf(b) ? -1 : 1);
  return [...uses]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, purpose]) => ({
      name,
      for: purpose,
      grants: [...grants.values()].filter(({ role }) => role === name).sort(order),
    }));
}
