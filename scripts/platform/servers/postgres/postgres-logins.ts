/** Functions → the URL that each connects to Postgres by: a login of its role's own, whose password is made once. */
import path from 'node:path';
import pg from 'pg';
import { type Caller, roleOf } from '../../../registry/postgres-roles.ts';
import { newPassword, readPrivate, writePrivate } from '../secrets.ts';

/** The longest that a statement may take; a setting of a login, as those of a role without one are not inherited. */
const STATEMENT_TIMEOUT = '10s';

/** What Postgres says of a role that is not there. */
const UNDEFINED_OBJECT = '42704';

const loginOf = (role: string): string => `${role}_login`;

/** Statements that give a role its login, or the login that it has this password. */
function loginStatements(role: string, password: string): string[] {
  const login = pg.escapeIdentifier(loginOf(role));
  const name = pg.escapeLiteral(loginOf(role));
  return [
    `do $$ begin
       if not exists (select from pg_roles where rolname = ${name}) then create role ${login} login; end if;
     end $$`,
    `alter role ${login} password ${pg.escapeLiteral(password)}`,
    `alter role ${login} set statement_timeout = '${STATEMENT_TIMEOUT}'`,
    `grant ${pg.escapeIdentifier(role)} to ${login}`,
  ];
}

/** `url` is that of the owner. Gives URLs by the name of the function; none for one that needs no database. */
export async function openLogins(
  url: string,
  functions: readonly Caller[],
  secrets: string,
): Promise<Readonly<Record<string, string>>> {
  const file = path.join(secrets, 'postgres-logins.json');
  const kept = readPrivate<Record<string, string>>(file) ?? {};
  const roles = new Set(functions.flatMap((one) => roleOf(one) ?? []));
  const passwords = Object.fromEntries([...roles].map((role) => [role, kept[role] ?? newPassword()]));
  writePrivate(file, passwords);
  const owner = new pg.Client(url);
  await owner.connect();
  try {
    const statements = Object.entries(passwords).flatMap(([role, password]) => loginStatements(role, password));
    await owner.query(statements.join(';\n'));
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== UNDEFINED_OBJECT) throw error;
    throw new Error(`${error.message}: infra/postgres/roles.sql is older than the functions; run npm run generate`, {
      cause: error,
    });
  } finally {
    await owner.end();
  }
  const urlOf = (role: string): string => {
    const login = new URL(url);
    login.username = loginOf(role);
    login.password = passwords[role] ?? '';
    return login.href;
  };
  return Object.fromEntries(
    functions.flatMap((one) => {
      const role = roleOf(one);
      return role ? [[one.name, urlOf(role)]] : [];
    }),
  );
}
