/** What must be true when a run has come to rest, whatever went wrong in it. */
import { expect } from 'vitest';
import {
  type ExistingOrder,
  type OrderEvent,
  orders,
  reserved,
  shippedQuantity,
} from '../../functions/orders/order.ts';
import { type SaleEvent, saleOf } from '../../functions/orders/sales-view/sale.ts';
import { fold } from '../../functions/runtime/aggregate.ts';
import { DEAD } from '../../functions/runtime/handling/failure.ts';
import { nameId } from '../../functions/runtime/ids.ts';
import { outcomeOf } from '../../functions/runtime/messages/message.ts';
import { fromRefusal } from '../../functions/runtime/store/refusal.ts';
import { publishedData } from '../../functions/runtime/store/schema-versions.ts';
import type { Plan } from './plan.ts';
import type { EventRow } from './tables.ts';
import { type Ended, PRODUCTS } from './world.ts';

type History = { readonly orderId: string; readonly rows: readonly EventRow[]; readonly order: ExistingOrder };

const eventsOf = (rows: readonly EventRow[]): OrderEvent[] =>
  rows.map(({ type, data }) => ({ type, data }) as OrderEvent);

function historiesOf({ tables }: Ended): History[] {
  return [...tables.events].flatMap(([orderId, rows]) => {
    const order = fold(orders, eventsOf(rows));
    return order.status === 'none' ? [] : [{ orderId, rows, order }];
  });
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** What the stream must hold of each event. */
const publishedOf = ({ rows }: History): Map<string, object> =>
  new Map(
    rows.map(({ eventId, version }, index) => {
      const events = eventsOf(rows).slice(0, index + 1);
      const [event] = events.slice(-1) as [OrderEvent];
      return [eventId, publishedData(orders, event, fold(orders, events), version)];
    }),
  );

/** Every command that was stored has one effect or one refusal, and that is what each of its answers says. */
function checkCommands({ tables, sent, early }: Ended, histories: readonly History[]): void {
  expect(early, 'results told before they were published').toEqual([]);
  const rows = histories.flatMap((history) => history.rows.map((row) => ({ ...row, history })));
  for (const { commandId, outcomes } of sent) {
    const record = tables.commands.get(commandId);
    expect(record, 'the record of a command').toBeDefined();
    if (!record) continue;
    const effects = rows.filter((row) => row.commandId === commandId);
    expect(effects.length, 'events of a command').toBe(record.refusal ? 0 : 1);
    const [effect] = effects;
    const events = eventsOf(effect?.history.rows ?? []).slice(0, record.version);
    if (effect) expect(record.version).toBe(effect.version);
    const answer = record.refusal
      ? outcomeOf(fromRefusal(record.refusal))
      : { result: orders.publish(fold(orders, events), record.version) };
    for (const outcome of outcomes) expect(outcome).toEqual(JSON.parse(JSON.stringify(answer)));
  }
}

/** A policy gives one command an event, however often the event comes. */
function checkPolicies({ tables, sent }: Ended, histories: readonly History[]): void {
  const events = histories.flatMap(({ rows }) => rows.map(({ eventId }) => eventId));
  const ofPolicies = ['expire-unpaid', 'refund-cancelled'].flatMap((policy) =>
    events.map((eventId) => nameId(`/millrace/${policy}`, nameId(policy, eventId, '0'))),
  );
  const known = new Set([...sent.map(({ commandId }) => commandId), ...ofPolicies]);
  expect(
    [...tables.commands.keys()].filter((id) => !known.has(id)),
    'commands of nobody',
  ).toEqual([]);
}

/** The log holds every stored event, as it is stored, and nothing else. */
function checkPublished({ jetStream }: Ended, histories: readonly History[]): void {
  const stored = new Map(histories.flatMap((history) => [...publishedOf(history)]));
  const published = new Map<string, unknown>();
  for (const { headers, data } of jetStream.messagesOf('ORDERS')) {
    const id = headers['ce-id'];
    if (!id) continue;
    const event = JSON.parse(Buffer.from(data).toString());
    expect(event, 'a published event').toEqual(JSON.parse(JSON.stringify(stored.get(id) ?? 'not stored')));
    published.set(id, event);
  }
  expect([...published.keys()].sort(), 'published events').toEqual([...stored.keys()].sort());
}

function checkStock({ tables }: Ended, histories: readonly History[]): void {
  for (const { sku, stock } of PRODUCTS) {
    const gone = histories.map(({ order }) => {
      const kept = reserved(order).find((pieces) => pieces.sku === sku)?.quantity ?? 0;
      return kept + shippedQuantity(order, sku);
    });
    expect(tables.products.get(sku)?.stock, `stock of ${sku}`).toBe(stock - sum(gone));
  }
}

function checkMoney({ tables }: Ended, histories: readonly History[]): void {
  for (const { orderId, order } of histories) {
    const moved = [...tables.ledger.values()].filter((movement) => movement.orderId === orderId);
    expect(sum(moved.map(({ amountMinor }) => amountMinor)), 'money moved').toBe(order.paidMinor - order.refundedMinor);
    expect([0, order.totalMinor], 'paid once').toContain(order.paidMinor);
    const over = order.status === 'cancelled' || order.status === 'expired';
    if (over) expect(order.refundedMinor, 'refunded when over').toBe(order.paidMinor);
    if (order.status === 'open' && order.totalMinor > 0)
      expect(order.paidMinor, 'paid or expired').toBe(order.totalMinor);
  }
  for (const { status } of tables.payments.values()) expect(status, 'a payment').not.toBe('started');
}

const MAILED: Readonly<Record<string, string>> = {
  'order.created': 'order-confirmation',
  'order.payment_failed': 'order-payment-failed',
  'order.expired': 'order-expired',
  'order.cancelled': 'order-cancelled',
  'order.shipped': 'order-shipped',
  'order.delivered': 'order-delivered',
  'order.refunded': 'order-refunded',
};
/** What is not sent when something newer was seen first. */
const PERISHABLE = ['order.payment_failed', 'order.shipped'];

/** One mail an event that has one, noted; more only when its process died, or heard nothing, between the mail and the note. */
function checkMails({ tables, trace, mails }: Ended, histories: readonly History[]): void {
  const rows = histories.flatMap((history) => history.rows).filter(({ type }) => MAILED[type]);
  const known = rows.map(({ eventId }) => eventId);
  expect(
    mails.filter((id) => !known.includes(id)),
    'mails of nothing',
  ).toEqual([]);
  for (const { eventId, type } of rows) {
    const status = tables.notifications.get(`${eventId} ${MAILED[type]}`)?.status;
    expect(PERISHABLE.includes(type) ? ['sent', 'suppressed'] : ['sent'], `note of ${type} ${eventId}`).toContain(
      status,
    );
    const sent = mails.filter((id) => id === eventId).length;
    if (status === 'sent') expect(sent, `mails of ${type} ${eventId}`).toBeGreaterThanOrEqual(1);
    const isAbout = (line: string): boolean =>
      line.includes(`mail ${eventId}`) || line.includes(`claims-end ${eventId}`) || line.endsWith(' dies');
    const lines = trace.filter((line) => isAbout(line) && !line.endsWith(' slow'));
    expect(sent, `mails of ${eventId}`).toBeLessThanOrEqual(1 + excuses(lines, eventId));
  }
}

/** Mails of which the note got lost. */
function excuses(lines: readonly string[], eventId: string): number {
  const isMail = (line: string): boolean => line.includes(`mail ${eventId}`);
  const processOf = (line: string | undefined): string => line?.split(' ')[1] ?? '';
  return lines.filter((line, index) => {
    if (!isMail(line)) return false;
    const next = lines.slice(index + 1).find((other) => processOf(other) === processOf(line));
    return (
      line.endsWith('lose') || next?.endsWith(' dies') || next?.endsWith('refuse') || next?.endsWith('crash-before')
    );
  }).length;
}

const CONSUMERS_OF_CREATED = ['expire-unpaid', 'order-emails', 'order-view', 'sales-view'];

function checkDeadLetters({ jetStream }: Ended, { asks }: Plan): void {
  const kinds = asks.flatMap(({ wish }) => (wish.do === 'poison' ? [wish.kind] : []));
  const wanted = kinds.flatMap((kind) => (kind === 'command' ? ['create-order'] : CONSUMERS_OF_CREATED));
  const letters = jetStream
    .messagesOf('DEAD_LETTERS')
    .map(({ headers }) => `${headers[DEAD.function]} ${headers['millrace-origin']}`);
  const functions = [...new Set(letters)].map((letter) => letter.split(' ')[0]);
  expect(functions.sort(), 'dead letters').toEqual(wanted.sort());
}

type Keyed = { readonly [column: string]: unknown };

const sorted = (rows: readonly object[], key: (row: Keyed) => unknown): unknown =>
  JSON.parse(JSON.stringify([...rows].sort((a, b) => (String(key(a as Keyed)) < String(key(b as Keyed)) ? -1 : 1))));

function checkViews({ tables }: Ended, histories: readonly History[]): void {
  const rowsOf = (table: string): unknown[] => [...(tables.views.get(table)?.values() ?? [])];
  const shown = (rowsOf('order_view') as { readonly order: object }[]).map(({ order }) => order);
  const views = histories.map(({ order, rows }) => orders.publish(order, rows.length));
  const byOrder = ({ orderId }: Keyed): unknown => orderId;
  expect(sorted(shown, byOrder), 'order_view').toEqual(sorted(views, byOrder));
  const sales = histories.flatMap((history) => {
    const published = publishedOf(history);
    const counted = history.rows.filter(({ type }) => /created|paid|refunded/.test(type));
    return counted.map(({ type, eventId }) => saleOf({ type, data: published.get(eventId) } as SaleEvent));
  });
  const byEvent = ({ order_id, version }: Keyed): unknown => `${order_id} ${version}`;
  expect(sorted(rowsOf('sales_view') as object[], byEvent), 'sales_view').toEqual(sorted(sales, byEvent));
}

export function checkAll(ended: Ended, plan: Plan): void {
  const histories = historiesOf(ended);
  for (const { rows } of histories)
    expect(
      rows.map(({ version }) => version),
      'versions',
    ).toEqual(rows.map((_, index) => index + 1));
  checkCommands(ended, histories);
  checkPolicies(ended, histories);
  checkPublished(ended, histories);
  checkStock(ended, histories);
  checkMoney(ended, histories);
  checkMails(ended, histories);
  checkDeadLetters(ended, plan);
  checkViews(ended, histories);
}
