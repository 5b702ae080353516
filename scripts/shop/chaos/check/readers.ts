/** What was made of the events: read models, published events, users, e-mails. Each as the events say, once. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { type SaleEvent, saleOf } from '../../../../functions/orders/sales-view/sale.ts';
import { subjectOf } from '../../../../functions/runtime/messages/message.ts';
import type { Arrival } from '../mail-sink.ts';
import type { Excuse, Message, Snapshot } from '../snapshot.ts';
import { type Chapter, type Histories, lastOf } from './histories.ts';
import { plain, type Violation, violation } from './violation.ts';

function checkView({ orderView }: Snapshot, histories: Histories): Violation[] {
  const rows = new Map(orderView.map(({ orderId, order }) => [orderId, order]));
  return [...histories.values()].flatMap(lastOf).flatMap(({ order }) => {
    if (isDeepStrictEqual(rows.get(order.orderId), order)) return [];
    return [violation('view', `order_view does not show order ${order.orderId} at version ${order.version}`)];
  });
}

const SALES = new Set(['order.created', 'order.paid', 'order.refunded']);

function checkSales({ salesView }: Snapshot, histories: Histories): Violation[] {
  const expected = [...histories.values()]
    .flat()
    .filter(({ event }) => SALES.has(event.type))
    .map(({ event, data }) => JSON.stringify(sorted(saleOf({ type: event.type, data } as SaleEvent))));
  const rows = salesView.map((row) => JSON.stringify(sorted(row)));
  const missing = expected.filter((row) => !rows.includes(row));
  const wrong = rows.filter((row) => !expected.includes(row));
  return [
    ...missing.map((row) => violation('sales-view', `sales_view lacks ${row}`)),
    ...wrong.slice(missing.length).map((row) => violation('sales-view', `sales_view has ${row}`)),
  ];
}

const sorted = (row: object) => Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1));

const isPlanted = ({ planted }: Snapshot, message: Message): boolean => planted.some(({ id }) => id === message.id);

function checkPublished({ stored, event, data }: Chapter, copies: readonly Message[] | undefined): Violation[] {
  const what = `${stored.type}, version ${stored.version} of order ${stored.orderId}`;
  if (!copies) return [violation('event-unpublished', `${what} is not in stream ORDERS`)];
  const subject = subjectOf(event.type, stored.orderId);
  const same = copies.every((copy) => copy.subject === subject && isDeepStrictEqual(copy.data, data));
  return same ? [] : [violation('event-differs', `${what} is another in stream ORDERS`)];
}

function checkEvents(snapshot: Snapshot, histories: Histories): Violation[] {
  const messages = snapshot.orderMessages.filter((message) => !isPlanted(snapshot, message));
  const byId = Map.groupBy(messages, ({ id }) => id);
  const stored = new Set(snapshot.events.map(({ eventId }) => eventId));
  return [
    ...[...histories.values()].flat().flatMap((chapter) => checkPublished(chapter, byId.get(chapter.stored.eventId))),
    ...[...byId.keys()]
      .filter((id) => !stored.has(id))
      .map((id) => violation('event-unknown', `stream ORDERS tells of event ${id}, which is not in the store`)),
  ];
}

function checkUsers(snapshot: Snapshot): Violation[] {
  const { users, signUps } = snapshot;
  const messages = snapshot.userMessages.filter((message) => !isPlanted(snapshot, message));
  const byUser = Map.groupBy(messages, ({ subject }) => subject.split('.')[1] ?? '');
  const known = new Set(users.map(({ email }) => email));
  return [
    ...signUps
      .filter(({ email }) => !known.has(email))
      .map(({ email }) => violation('user-lost', `${email} has signed up, and is no user`)),
    ...users.flatMap(({ userId }) => {
      const ids = new Set((byUser.get(userId) ?? []).map(({ id }) => id));
      return ids.size === 1 ? [] : [violation('user-event', `user ${userId} has ${ids.size} events user.created`)];
    }),
  ];
}

/** An e-mail that has arrived is noted within this time, or not at all. */
const NOTED_MS = 5_000;
/** After an outage of Postgres this long no note may be possible. */
const HEALED_MS = 10_000;

/** All but the last one must have an excuse: something may have kept their notifier from noting them. */
function unexcused(arrivals: readonly Arrival[], excuses: readonly Excuse[]): number {
  const times = arrivals.map(({ at }) => at).sort((a, b) => a - b);
  const repeated = times.slice(0, -1);
  return repeated.filter((at) => !excuses.some(({ from, to }) => from <= at + NOTED_MS && at <= to + HEALED_MS)).length;
}

/** Events → their e-mails; one that may be no news any more when its turn comes need not be sent. */
const MAILS: Readonly<Record<string, { readonly template: string; readonly perishable?: true }>> = {
  'order.created': { template: 'order-confirmation' },
  'order.payment_failed': { template: 'order-payment-failed', perishable: true },
  'order.expired': { template: 'order-expired' },
  'order.cancelled': { template: 'order-cancelled' },
  'order.shipped': { template: 'order-shipped', perishable: true },
  'order.delivered': { template: 'order-delivered' },
  'order.refunded': { template: 'order-refunded' },
};

function checkMails(snapshot: Snapshot, histories: Histories): Violation[] {
  const byKey = Map.groupBy(snapshot.mails, ({ key }) => key);
  const ofOrders = [...histories.values()].flat().flatMap(({ stored: { type, eventId } }) => {
    const mail = MAILS[type];
    return mail && !mail.perishable ? [`${eventId}.${mail.template}`] : [];
  });
  const signedUp = snapshot.userMessages.filter((message) => !isPlanted(snapshot, message)).map(({ id }) => id);
  const keys = [...ofOrders, ...new Set(signedUp.map((id) => `${id}.verify`))];
  return [
    ...keys.filter((key) => !byKey.has(key)).map((key) => violation('mail-missing', `no e-mail ${key} was sent`)),
    ...[...byKey].flatMap(([key, arrivals]) => {
      if (unexcused(arrivals, snapshot.excuses) === 0) return [];
      return [violation('mail-doubled', `e-mail ${key} was sent ${arrivals.length} times, with nothing to excuse it`)];
    }),
  ];
}

export const checkReaders = (snapshot: Snapshot, histories: Histories): Violation[] => [
  ...checkView(snapshot, histories),
  ...checkSales({ ...snapshot, salesView: snapshot.salesView.map((row) => plain(row) as object) }, histories),
  ...checkEvents(snapshot, histories),
  ...checkUsers(snapshot),
  ...checkMails(snapshot, histories),
];
