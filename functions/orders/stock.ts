/** Stock of products: what an order takes when it is created, and gives back when it will not be shipped. */
import { fold, type Write } from '../runtime/aggregate.ts';
import { type Order, type OrderEvent, orders, type Pieces, reserved } from './order.ts';

/** Each row is changed once, by the sum, and locked in one order, so that two statements never wait in a ring. */
const take = (pieces: readonly Pieces[]): Write => ({
  sql: `update products set stock = stock - taken.quantity, updated_at = now()
        from (
          select sku, moved.quantity from products join (
            select sku, sum(quantity)::integer as quantity
            from json_to_recordset($rows) as line (sku text, quantity integer) group by sku
          ) moved using (sku)
          order by sku for update of products
        ) taken
        where products.sku = taken.sku`,
  rows: pieces,
});

/** Takes or gives back what stock keeps for the order after the events and did not before. None of them ships anything. */
export function moveStock(events: readonly OrderEvent[], before: Order): Write {
  const was = reserved(before);
  const is = reserved(fold(orders, events, before));
  const skus = new Set([...was, ...is].map(({ sku }) => sku));
  const of = (pieces: readonly Pieces[], sku: string): number => pieces.find((one) => one.sku === sku)?.quantity ?? 0;
  const moved = [...skus].map((sku) => ({ sku, quantity: of(is, sku) - of(was, sku) }));
  return take(moved.filter(({ quantity }) => quantity !== 0));
}
