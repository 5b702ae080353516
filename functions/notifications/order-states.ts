/** The newest state of each order that a notifier has seen, table `notified_orders`: what says nothing true any more is not sent. */
import { type Database, databaseError } from '../runtime/postgres.ts';
import type { OrderState } from './template.ts';

/** An order as it stood after an event. */
export type SeenOrder = { readonly id: string; readonly version: number; readonly state: OrderState };

const SEE = {
  name: 'order-state-see',
  text: `insert into notified_orders as o (order_id, version, state) values ($1, $2, $3)
    on conflict (order_id) do update set
      version = greatest(o.version, excluded.version),
      state = case when o.version < excluded.version then excluded.state else o.state end
    returning state`,
};

export const openOrderStates = (database: Database) => ({
  /** The newest state that was ever seen, this one included. */
  async see({ id, version, state }: SeenOrder): Promise<OrderState | undefined> {
    try {
      const values = [id, version, JSON.stringify(state)];
      return (await database.query<{ state: OrderState }>({ ...SEE, values })).rows[0]?.state;
    } catch (error) {
      throw databaseError(error);
    }
  },
});
