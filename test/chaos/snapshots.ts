/** A small shop at rest in which all is well, for the checker's tests: two orders with their money, stock, events and e-mails. */
import { type OrderEvent, orders } from '../../functions/orders/order.ts';
import { type SaleEvent, saleOf } from '../../functions/orders/sales-view/sale.ts';
import { publishedData } from '../../functions/runtime/store/schema-versions.ts';
import type { Answer, Snapshot } from '../../scripts/shop/chaos/snapshot.ts';

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
const id = (number: number): string => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
const at = '2026-11-20T12:00:00.000Z';
export const PAID_ORDER = id(1);
export const CANCELLED_ORDER = id(2);
const CUSTOMER = id(3);
const PAYMENT = id(11);
const REFUND = id(22);
const line = { sku: 'mug', name: 'Mug', quantity: 2, unitPriceMinor: 1250, totalMinor: 2500 };

const created = (orderId: string): OrderEvent => ({
  type: 'order.created',
  data: {
    orderId,
    customerId: CUSTOMER,
    currency: 'EUR',
    lines: [line],
    totalMinor: 2500,
    shippingCountry: null,
    createdAt: at,
    paymentDueAt: '2026-11-20T12:30:00.000Z',
  },
});
const paid = (paymentId: string): OrderEvent => ({
  type: 'order.paid',
  data: { paymentId, amountMinor: 2500, paidAt: at },
});

/** Each event with the request that it answers; the last one is a policy's. */
const CHAINS: readonly (readonly [
  orderId: string,
  first: number,
  events: readonly (readonly [OrderEvent, string])[],
])[] = [
  [
    PAID_ORDER,
    100,
    [
      [created(PAID_ORDER), 'a'],
      [paid(PAYMENT), 'a-pay'],
    ],
  ],
  [
    CANCELLED_ORDER,
    200,
    [
      [created(CANCELLED_ORDER), 'b'],
      [paid(id(21)), 'b-pay'],
      [{ type: 'order.cancelled', data: { reason: 'requested', cancelledAt: at } }, 'b-cancel'],
      [
        {
          type: 'order.refunded',
          data: { refundId: REFUND, amountMinor: 2500, reason: 'order cancelled', refundedAt: at },
        },
        '',
      ],
    ],
  ],
];

const chapters = CHAINS.flatMap(([orderId, first, events]) => {
  let state = orders.initial;
  return events.map(([event, key], index) => {
    state = orders.evolve(state, event);
    const version = index + 1;
    const data = plain(publishedData(orders, event, state, version));
    return { orderId, key, version, event, data, eventId: id(first + version), commandId: id(1_000 + first + version) };
  });
});
type Chapter = (typeof chapters)[number];

const answerOf = ({ key, data }: Pick<Chapter, 'key' | 'data'>): Answer => ({
  key,
  what: 'orders',
  status: 201,
  body: data.order,
  sentAt: 1_000,
  answeredAt: 2_000,
});
const newest = (orderId: string) => chapters.filter((one) => one.orderId === orderId).at(-1)?.data.order;
const schemaVersion = (type: string): number => (type === 'order.created' ? 2 : 1);
/** Of order.paid nobody is told. */
const mailKeys = ({ event: { type }, eventId }: Chapter): string[] => {
  if (type === 'order.paid') return [];
  return [`${eventId}.${type === 'order.created' ? 'order-confirmation' : type.replace('.', '-').replace('_', '-')}`];
};
const isSale = ({ event }: Chapter): boolean => /created|paid|refunded/.test(event.type);

export const good: Snapshot = {
  answers: chapters.filter(({ key }) => key !== '').map(answerOf),
  unanswered: [],
  signUps: [{ email: 'ada@example.com', answeredAt: 500 }],
  stockBefore: { mug: 10 },
  stock: { mug: 8 },
  events: chapters.map(({ orderId, version, event, eventId, commandId, key }) => ({
    ...{
      orderId,
      version,
      eventId,
      commandId,
      type: event.type,
      schemaVersion: schemaVersion(event.type),
      data: event.data,
    },
    actor: key === '' ? 'system' : CUSTOMER,
  })),
  commands: chapters.map(({ commandId, version }) => ({ commandId, version })),
  payments: [PAYMENT, id(21), REFUND].map((paymentId) => ({ paymentId, amountMinor: 2500 })),
  ledger: [
    { key: PAYMENT, orderId: PAID_ORDER, amountMinor: 2500 },
    { key: id(21), orderId: CANCELLED_ORDER, amountMinor: 2500 },
    { key: REFUND, orderId: CANCELLED_ORDER, amountMinor: -2500 },
  ],
  orderView: [PAID_ORDER, CANCELLED_ORDER].map((orderId) => ({ orderId, order: newest(orderId) })),
  salesView: chapters.filter(isSale).map(({ event, data }) => saleOf({ type: event.type, data } as SaleEvent)),
  users: [{ userId: CUSTOMER, email: 'ada@example.com' }],
  orderMessages: chapters.map(({ eventId, orderId, event, data }) => ({
    id: eventId,
    subject: event.type.replace('.', `.${orderId}.`),
    data,
  })),
  userMessages: [{ id: id(31), subject: `user.${CUSTOMER}.created`, data: { userId: CUSTOMER, createdAt: at } }],
  deadLetters: [{ id: 'planted-1', function: 'order-view', error: 'not-json' }],
  planted: [{ id: 'planted-1', functions: ['order-view'] }],
  mails: [...chapters.flatMap(mailKeys), `${id(31)}.verify`].map((key) => ({ key, at: 3_000 })),
  excuses: [],
  rest: { outbox: [], lag: [], messages: [], claims: [], payments: [] },
};
