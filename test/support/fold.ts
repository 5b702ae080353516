/** What every order in the event store has come to, by a fold of its own: the measure of read models. */
import type pg from 'pg';
import { type OrderEvent, orders } from '../../functions/orders/order.ts';
import { publishedData, upcast, type WrittenEvent } from '../../functions/runtime/store/schema-versions.ts';

export type Folded = {
  readonly event: OrderEvent;
  /** As it is published. */
  readonly data: object & { readonly order: { readonly orderId: string; readonly version: number } };
};

/** Every event in the store, an order's one after the other. */
export async function foldAll(database: pg.Pool): Promise<Folded[]> {
  const { rows } = await database.query<WrittenEvent & { id: string }>(
    'select order_id as id, version, type, schema_version as "schemaVersion", data from order_events order by order_id, version',
  );
  let state = orders.initial;
  return rows.map((row) => {
    const event = upcast(orders, row.id, row);
    state = orders.evolve(row.version === 1 ? orders.initial : state, event);
    return { event, data: publishedData(orders, event, state, row.version) as Folded['data'] };
  });
}
