/** Stored events → each order as it was after every one of them, by a fold of its own. Pure. */
import type { PublicOrder } from '../../../../functions/orders/events.ts';
import { type Order, type OrderEvent, orders } from '../../../../functions/orders/order.ts';
import { publishedData, upcast } from '../../../../functions/runtime/store/schema-versions.ts';
import type { Snapshot, StoredEvent } from '../snapshot.ts';
import { plain, type Violation, violation } from './violation.ts';

export type Chapter = {
  readonly stored: StoredEvent;
  readonly event: OrderEvent;
  readonly state: Order;
  /** The order after it, as it is shown. */
  readonly order: PublicOrder;
  /** As it is published. */
  readonly data: unknown;
};
export type Histories = ReadonlyMap<string, readonly Chapter[]>;

function toldOf(events: readonly StoredEvent[]): Chapter[] {
  let state = orders.initial;
  return events.map((stored) => {
    const event = upcast(orders, stored.orderId, stored);
    state = orders.evolve(state, event);
    const order = plain(orders.publish(state, stored.version)) as PublicOrder;
    return { stored, event, state, order, data: plain(publishedData(orders, event, state, stored.version)) };
  });
}

/** Versions 1, 2, 3 …, of which the first one alone is order.created. */
const isWhole = (events: readonly StoredEvent[]): boolean =>
  events.every(({ version, type }, index) => version === index + 1 && (type === 'order.created') === (index === 0));

/** An order whose chain is broken has no history: nothing more can be said of it. */
export function readHistories({ events }: Pick<Snapshot, 'events'>): {
  readonly histories: Histories;
  readonly violations: Violation[];
} {
  const groups = [...Map.groupBy(events, ({ orderId }) => orderId)];
  const whole = groups.filter(([, chain]) => isWhole(chain));
  const broken = groups.filter(([, chain]) => !isWhole(chain));
  return {
    histories: new Map(whole.map(([id, chain]) => [id, toldOf(chain)])),
    violations: broken.map(([id, chain]) => {
      const versions = chain.map(({ version, type }) => `${version} ${type}`).join(', ');
      return violation('broken-chain', `order ${id} has versions ${versions}`);
    }),
  };
}

/** An order as it stands. */
export const lastOf = (chapters: readonly Chapter[]): Chapter[] => chapters.slice(-1);
