/** Stock, payments and the provider's ledger → nothing is made, and nothing disappears. Pure. */
import { type Order, reserved, shippedQuantity } from '../../../../functions/orders/order.ts';
import type { Snapshot } from '../snapshot.ts';
import { type Histories, lastOf } from './histories.ts';
import { type Violation, violation } from './violation.ts';

/** Pieces of a product that an order has, or that are kept for it. */
function takenBy(order: Order, sku: string): number {
  if (order.status === 'none') return 0;
  const kept = reserved(order).find((line) => line.sku === sku)?.quantity ?? 0;
  return kept + shippedQuantity(order, sku);
}

function checkStock({ stockBefore, stock }: Snapshot, histories: Histories): Violation[] {
  const states = [...histories.values()].flatMap(lastOf).map(({ state }) => state);
  return Object.entries(stockBefore).flatMap(([sku, before]) => {
    const taken = states.reduce((sum, order) => sum + takenBy(order, sku), 0);
    const expected = before - taken;
    if (stock[sku] === expected) return [];
    return [violation('stock', `${sku}: ${before} less ${taken} of orders is ${expected}, not ${stock[sku]}`)];
  });
}

type Movement = { readonly id: string; readonly amountMinor: number };

/** What events tell of money. A declined payment moved none. */
const movements = (histories: Histories): Movement[] =>
  [...histories.values()].flat().flatMap(({ event }) => {
    if (event.type === 'order.paid') return [{ id: event.data.paymentId, amountMinor: event.data.amountMinor }];
    if (event.type === 'order.refunded') return [{ id: event.data.refundId, amountMinor: -event.data.amountMinor }];
    return [];
  });

function checkMovement({ id, amountMinor }: Movement, { payments, ledger }: Snapshot): Violation[] {
  const moved = ledger.filter(({ key }) => key === id);
  const [row] = moved;
  if (moved.length !== 1 || row?.amountMinor !== amountMinor)
    return [
      violation('money', `${id}: events tell of ${amountMinor}, the provider of ${row?.amountMinor ?? 'nothing'}`),
    ];
  const payment = payments.find(({ paymentId }) => paymentId === id);
  if (payment?.amountMinor === Math.abs(amountMinor)) return [];
  return [violation('money', `${id}: no payment of ${Math.abs(amountMinor)} is on record`)];
}

function checkMoney(snapshot: Snapshot, histories: Histories): Violation[] {
  const told = movements(histories);
  const ids = new Set(told.map(({ id }) => id));
  const untold = snapshot.ledger.filter(({ key, amountMinor }) => amountMinor !== 0 && !ids.has(key));
  return [
    ...told.flatMap((movement) => checkMovement(movement, snapshot)),
    ...untold.map(({ key, orderId, amountMinor }) =>
      violation('money', `${key}: the provider moved ${amountMinor} for order ${orderId}, and no event tells of it`),
    ),
  ];
}

/** What policies owe: an order that ended gives its money back, and one that is not paid ends. */
function checkPolicies(histories: Histories): Violation[] {
  return [...histories.values()].flatMap(lastOf).flatMap(({ order }) => {
    const { orderId, status, paidMinor, refundedMinor, paymentDueAt } = order;
    const ended = status === 'cancelled' || status === 'expired';
    if (ended && paidMinor !== refundedMinor)
      return [
        violation('refund-missing', `order ${orderId} is ${status}, and ${paidMinor - refundedMinor} is not back`),
      ];
    if (status === 'open' && paidMinor === 0 && paymentDueAt !== null)
      return [violation('expiry-missing', `order ${orderId} is open, and was to be paid until ${paymentDueAt}`)];
    return [];
  });
}

export const checkGoodsAndMoney = (snapshot: Snapshot, histories: Histories): Violation[] => [
  ...checkStock(snapshot, histories),
  ...checkMoney(snapshot, histories),
  ...checkPolicies(histories),
];
