/** Orders made by the real create-order, and what the stores say of each of them afterwards. */
import { randomUUID } from 'node:crypto';
import type { Backends } from './backends.ts';
import { until } from './until.ts';

export type OrderFacts = {
  /** One command of any kind, such as `pay`; gives its id. */
  send(verb: string, command: object): Promise<number>;
  /** A new order of one mug; gives its id when it is stored. */
  ordered(): Promise<string>;
  /** The types of each order's events, in their order. */
  events(ids: readonly string[]): Promise<unknown>;
  /** What a query says of each of these orders ($1): columns id and value. */
  byOrder(ids: readonly string[], text: string): Promise<unknown>;
  /** The orders, sorted, one a message, that stream ORDERS tells of so. */
  told(what: string, ids: readonly string[]): Promise<string[]>;
  /** Mugs that are for sale. */
  stock(): Promise<number>;
  outboxIsEmpty(): Promise<unknown>;
};

export const each = <Value>(ids: readonly string[], value: Value) => Object.fromEntries(ids.map((id) => [id, value]));

const EVENTS = `select order_id as id, string_agg(type, ' ' order by version) as value from order_events
  where order_id = any($1) group by 1`;

/** Puts 1000 mugs up for sale; create-order is to run. */
export async function openOrderFacts(backends: Backends): Promise<OrderFacts> {
  const { bus, database } = backends;
  await database.query(`insert into products values ('mug', 'Mug', 1250, 'EUR', 1000)`);

  const send: OrderFacts['send'] = (verb, command) =>
    bus.publish(`command.order.${verb}`, JSON.stringify(command), {}, randomUUID());
  const byOrder: OrderFacts['byOrder'] = async (ids, text) => {
    const { rows } = await database.query<{ id: string; value: unknown }>(text, [ids]);
    return Object.fromEntries(rows.map(({ id, value }) => [id, value]));
  };
  return {
    send,
    async ordered() {
      const orderId = randomUUID();
      await send('create', { orderId, customerId: randomUUID(), lines: [{ sku: 'mug', quantity: 1 }] });
      const find = 'select from order_events where order_id = $1';
      await until('the order', async () => (await database.query(find, [orderId])).rows.length === 1);
      return orderId;
    },
    events: (ids) => byOrder(ids, EVENTS),
    byOrder,
    told: async (what, ids) =>
      (await backends.messages('ORDERS'))
        .map(({ subject }) => subject.split('.'))
        .flatMap(([, id, type]) => (id && type === what && ids.includes(id) ? [id] : []))
        .sort(),
    stock: async () => (await database.query('select stock from products')).rows[0].stock,
    outboxIsEmpty: () =>
      until('the outbox to be empty', async () => (await database.query('select from outbox')).rows.length === 0),
  };
}
