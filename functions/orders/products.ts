/** Products: the table of what is for sale. Prices and stock are the server's, in integer minor units and pieces. */
import * as z from 'zod/mini';
import type { Read } from '../runtime/aggregate.ts';
import { type Database, databaseError } from '../runtime/postgres.ts';
import { plainText } from '../runtime/schema.ts';

export const sku = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes, 1 to 63 of them'));

/** So that 100 lines of 999 pieces still add up exactly in a double. */
const MAX_MINOR = 1_000_000_000;

export const productDetails = z.strictObject({
  name: plainText(200),
  /** Price in minor units (cents) of `currency`. */
  priceMinor: z.int().check(z.minimum(0), z.maximum(MAX_MINOR)),
  /** ISO 4217. */
  currency: z.string().check(z.regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code such as EUR')),
  /** Pieces that can be sold. */
  stock: z.int().check(z.minimum(0), z.maximum(1_000_000_000)),
});

export type Product = z.infer<typeof productDetails> & { readonly sku: string };

const COLUMNS = `sku, name, price_minor as "priceMinor", currency, stock`;

/** What a decision on an order must know of the products in it: Product[]. */
export const productsBySku = (skus: readonly string[]): Read => ({
  sql: `select coalesce(json_agg(product), '[]') from (
          select ${COLUMNS} from products where sku in (select json_array_elements_text($input))
        ) product`,
  input: skus,
});

export async function listProducts(database: Database): Promise<Product[]> {
  try {
    const { rows } = await database.query({
      name: 'list-products',
      text: `select ${COLUMNS} from products order by sku limit 1000`,
    });
    return rows.map((row) => ({ ...row, priceMinor: Number(row.priceMinor) }));
  } catch (error) {
    throw databaseError(error);
  }
}

/** Creates or replaces a product; tells whether it is new. */
export async function putProduct(
  database: Database,
  { sku, name, priceMinor, currency, stock }: Product,
): Promise<boolean> {
  try {
    const { rows } = await database.query<{ created: boolean }>({
      name: 'put-product',
      text: `insert into products (sku, name, price_minor, currency, stock) values ($1, $2, $3, $4, $5)
             on conflict (sku) do update set name = excluded.name, price_minor = excluded.price_minor,
               currency = excluded.currency, stock = excluded.stock, updated_at = now()
             returning xmax = 0 as created`,
      values: [sku, name, priceMinor, currency, stock],
    });
    return rows[0]?.created ?? false;
  } catch (error) {
    throw databaseError(error);
  }
}
