import { expect, test } from 'vitest';
import type { PublicOrder } from '../../functions/orders/events.ts';
import { check } from '../../scripts/shop/chaos/check/check.ts';
import type { Violation } from '../../scripts/shop/chaos/check/violation.ts';
import type { Snapshot } from '../../scripts/shop/chaos/snapshot.ts';
import { CANCELLED_ORDER, good, PAID_ORDER } from './snapshots.ts';

test('a shop in which all is well has no violations', () => {
  expect(check(good)).toEqual([]);
});

/** All items but those that `is` names. */
const without = <Item>(items: readonly Item[], is: (item: Item) => boolean): Item[] => items.filter((one) => !is(one));
/** The items with something else about those that `is` names. */
const changed = <Item extends object>(
  items: readonly Item[],
  is: (item: Item) => boolean,
  change: Partial<Item>,
): Item[] => items.map((one) => (is(one) ? { ...one, ...change } : one));
const last = <Item>(items: readonly Item[]): Item => items.at(-1) as Item;
const first = <Item>(items: readonly Item[]): Item => items[0] as Item;

const [placed] = good.answers;
const shown = placed?.body as PublicOrder;
const NOBODYS = '00000000-0000-7000-8000-00000000ffff';

/** An order that was paid, cut back to what it was before: the change is as if it had never been paid. */
const unpaid: Partial<Snapshot> = {
  answers: without(good.answers, ({ key }) => key === 'a-pay'),
  events: without(good.events, ({ orderId, version }) => orderId === PAID_ORDER && version === 2),
  orderMessages: without(good.orderMessages, ({ subject }) => subject === `order.${PAID_ORDER}.paid`),
  salesView: without(
    good.salesView,
    (row) => 'revenue_minor' in row && JSON.stringify(row).includes(`${PAID_ORDER}","version":2`),
  ),
  orderView: changed(good.orderView, ({ orderId }) => orderId === PAID_ORDER, { order: shown }),
  ledger: without(good.ledger, ({ orderId }) => orderId === PAID_ORDER),
};

/** A cancelled order whose money is still with the shop. */
const unrefunded: Partial<Snapshot> = {
  events: without(good.events, ({ type }) => type === 'order.refunded'),
  orderMessages: without(good.orderMessages, ({ subject }) => subject.endsWith('.refunded')),
  salesView: without(good.salesView, (row) => JSON.stringify(row).includes('"refunds":1')),
  orderView: changed(good.orderView, ({ orderId }) => orderId === CANCELLED_ORDER, {
    order: good.answers.find(({ key }) => key === 'b-cancel')?.body,
  }),
  ledger: without(good.ledger, ({ amountMinor }) => amountMinor < 0),
};

test.each<[what: string, kind: Violation['kind'], change: Partial<Snapshot>]>([
  [
    'an acknowledged order is not in the store',
    'lost',
    { answers: [...good.answers, { ...first(good.answers), key: 'c', body: { ...shown, orderId: NOBODYS } }] },
  ],
  [
    'an acknowledged step is not in the store',
    'lost',
    { answers: [...good.answers, { ...first(good.answers), key: 'a-ship', body: { ...shown, version: 3 } }] },
  ],
  [
    'two requests were answered with one order',
    'doubled',
    { answers: [...good.answers, { ...first(good.answers), key: 'c' }] },
  ],
  [
    'a step was taken that nobody asked for',
    'doubled',
    { answers: without(good.answers, ({ key }) => key === 'b-cancel') },
  ],
  [
    'an event is not what its command led to',
    'doubled',
    { commands: changed(good.commands, (one) => one === last(good.commands), { version: 9 }) },
  ],
  [
    'a repeat was answered with another version',
    'doubled',
    { answers: changed([...good.answers, last(good.answers)], (one) => one.key === 'a-pay', { key: 'a' }) },
  ],
  [
    'an order was shown with another total than it had',
    'answer-differs',
    { answers: changed(good.answers, ({ key }) => key === 'a', { body: { ...shown, totalMinor: 1 } }) },
  ],
  [
    'a request was refused at first, and done when it was repeated',
    'answer-differs',
    { answers: [...good.answers, { ...first(good.answers), status: 409 }] },
  ],
  ['a request got no answer', 'unanswered', { unanswered: ['c'] }],
  [
    'a request was answered as if nobody had signed in',
    'unexpected-answer',
    { answers: [...good.answers, { ...first(good.answers), key: 'c', status: 403 }] },
  ],
  ['a piece has disappeared from stock', 'stock', { stock: { mug: 7 } }],
  ['a piece was made from nothing', 'stock', { stock: { mug: 9 } }],
  [
    'money was taken twice',
    'money',
    { ledger: [...good.ledger, { key: NOBODYS, orderId: PAID_ORDER, amountMinor: 2500 }] },
  ],
  [
    'money was told, and never taken',
    'money',
    { ledger: without(good.ledger, ({ orderId }) => orderId === PAID_ORDER) },
  ],
  [
    'other money was taken than was told',
    'money',
    { ledger: changed(good.ledger, ({ orderId }) => orderId === PAID_ORDER, { amountMinor: 2499 }) },
  ],
  ['a payment is not on record', 'money', { payments: good.payments.slice(1) }],
  ['a cancelled order keeps its money', 'refund-missing', unrefunded],
  ['an unpaid order never expires', 'expiry-missing', unpaid],
  ['the view has an older version', 'view', { orderView: changed(good.orderView, () => true, { order: shown }) }],
  ['the view lacks an order', 'view', { orderView: good.orderView.slice(1) }],
  ['a sale was not counted', 'sales-view', { salesView: good.salesView.slice(1) }],
  [
    'a sale was counted twice',
    'sales-view',
    { salesView: [...good.salesView, { ...first(good.salesView), version: 9 }] },
  ],
  [
    'a sale was counted with another amount',
    'sales-view',
    { salesView: changed(good.salesView, (row) => row === last(good.salesView), { refunded_minor: 1 } as object) },
  ],
  ['an event was never published', 'event-unpublished', { orderMessages: good.orderMessages.slice(1) }],
  [
    'an event was published as something else',
    'event-differs',
    { orderMessages: [...good.orderMessages, { ...first(good.orderMessages), data: {} }] },
  ],
  [
    'an event was published that did not happen',
    'event-unknown',
    { orderMessages: [...good.orderMessages, { ...first(good.orderMessages), id: NOBODYS }] },
  ],
  ['a user who signed up is not there', 'user-lost', { signUps: [{ email: 'bob@example.com', answeredAt: 1 }] }],
  [
    'a user was never announced',
    'user-event',
    { users: [...good.users, { userId: NOBODYS, email: 'bob@example.com' }] },
  ],
  [
    'a user was announced by two events',
    'user-event',
    {
      userMessages: [...good.userMessages, { ...first(good.userMessages), id: NOBODYS }],
      mails: [...good.mails, { key: `${NOBODYS}.verify`, at: 3_000 }],
    },
  ],
  ['an e-mail was never sent', 'mail-missing', { mails: good.mails.slice(1) }],
  ['an e-mail was sent twice', 'mail-doubled', { mails: [...good.mails, first(good.mails)] }],
  ['a letter is dead that nobody planted', 'dead-letter', { planted: [] }],
  ['poison was not kept as a dead letter', 'poison-unnoticed', { deadLetters: [] }],
  ['a row is left in the outbox', 'not-quiet', { rest: { ...good.rest, outbox: ['1'] } }],
  ['a consumer has messages left', 'not-quiet', { rest: { ...good.rest, lag: ['ORDERS/order-view: 1'] } }],
  ['a retry waits for ever', 'not-quiet', { rest: { ...good.rest, messages: ['waiting.order-view.1'] } }],
  ['an e-mail is claimed, and not sent', 'not-quiet', { rest: { ...good.rest, claims: ['1 verify'] } }],
  ['a payment is begun, and not settled', 'not-quiet', { rest: { ...good.rest, payments: ['1'] } }],
])('the checker finds that %s, and nothing else', (_, kind, change) => {
  const found = new Set(check({ ...good, ...change }).map((one) => one.kind));
  expect([...found]).toEqual([kind]);
});

test('the checker finds a gap in the versions of an order, and says no more of that order', () => {
  const events = without(good.events, ({ orderId, version }) => orderId === CANCELLED_ORDER && version === 2);
  const kinds = check({ ...good, events }).map(({ kind }) => kind);
  expect(kinds).toContain('broken-chain');
  expect(kinds).not.toContain('lost');
});

test('an e-mail may be sent twice when its notifier was killed about then, and not when that was long before', () => {
  const mails = [...good.mails, first(good.mails)];
  expect(check({ ...good, mails, excuses: [{ from: 2_900, to: 2_900 }] })).toEqual([]);
  expect(check({ ...good, mails, excuses: [{ from: -90_000, to: -80_000 }] })).toHaveLength(1);
});
