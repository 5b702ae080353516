/** Something to try: a few products, a customer and one of the staff; what is there already stays as it is. */
import { AppError } from '../../../functions/runtime/errors.ts';
import type { Database } from '../../../functions/runtime/postgres.ts';
import { continueTrace } from '../../../functions/runtime/trace.ts';
import type { Credentials, UserClient } from '../../../functions/users/client.ts';
import { newPassword, readPrivate, writePrivate } from '../../platform/servers/secrets.ts';

export type Demo = { readonly customer: Credentials; readonly staff: Credentials };

const PRODUCTS = [
  { sku: 'mug', name: 'Mug, stoneware, 300 ml', price_minor: 1250, currency: 'EUR', stock: 1_000 },
  { sku: 'tea', name: 'Black tea, loose, 250 g', price_minor: 890, currency: 'EUR', stock: 5_000 },
  { sku: 'teapot', name: 'Teapot, cast iron, 800 ml', price_minor: 5400, currency: 'EUR', stock: 120 },
  { sku: 'last-cup', name: 'Cup, porcelain, the last one', price_minor: 1900, currency: 'EUR', stock: 1 },
];

export async function seedProducts(database: Database): Promise<void> {
  await database.query(
    `insert into products (sku, name, price_minor, currency, stock)
     select sku, name, price_minor, currency, stock
     from json_to_recordset($1::json) as row (sku text, name text, price_minor bigint, currency char(3), stock integer)
     on conflict do nothing`,
    [JSON.stringify(PRODUCTS)],
  );
}

/** The demo accounts; their passwords are kept in `file`. */
export async function seedAccounts(file: string, database: Database, users: UserClient): Promise<Demo> {
  const demo = readPrivate<Demo>(file) ?? (await newDemo(database));
  writePrivate(file, demo);
  for (const account of [demo.customer, demo.staff]) await ensureUser(users, database, account);
  await database.query("update users set role = 'staff' where lower(email) = $1 and role <> 'staff'", [
    demo.staff.email.toLowerCase(),
  ]);
  return demo;
}

/** With other addresses where the usual ones have accounts whose passwords are lost. */
async function newDemo(database: Database): Promise<Demo> {
  const taken = (await exists(database, usual('customer'))) || (await exists(database, usual('staff')));
  const suffix = taken ? `-${newPassword().slice(0, 5).toLowerCase().replace(/\W/g, 'x')}` : '';
  const account = (role: string): Credentials => ({ email: usual(`${role}${suffix}`), password: newPassword() });
  return { customer: account('customer'), staff: account('staff') };
}

const usual = (name: string): string => `${name}@millrace.example`;

async function exists(database: Database, email: string): Promise<boolean> {
  const { rows } = await database.query('select 1 from users where lower(email) = $1', [email.toLowerCase()]);
  return rows.length > 0;
}

async function ensureUser(users: UserClient, database: Database, account: Credentials): Promise<void> {
  if (await exists(database, account.email)) return;
  try {
    await users.createUser(account, continueTrace(undefined));
  } catch (error) {
    if (error instanceof AppError && (await exists(database, account.email))) return;
    throw error;
  }
}
