import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fold } from '../runtime/aggregate.ts';
import { AppError } from '../runtime/errors.ts';
import type { CommonSettings } from '../runtime/function.ts';
import { publishedData } from '../runtime/store/schema-versions.ts';
import { decide as cancel } from './cancel-order/decide.ts';
import type { Actor } from './commands.ts';
import { decide as create } from './create-order/decide.ts';
import { decide as deliver } from './deliver-order/decide.ts';
import { orderEvents, publicOrder } from './events.ts';
import { decide as expire } from './expire-order/decide.ts';
import {
  type ExistingOrder,
  fulfilmentStatus,
  type Order,
  type OrderEvent,
  orders,
  type Pieces,
  paymentStatus,
  shippedQuantity,
} from './order.ts';
import { decide as pay, payableOrder } from './pay-order/decide.ts';
import { decide as refund, refundable } from './refund-order/decide.ts';
import { decide as ship } from './ship-order/decide.ts';
import { moveStock } from './stock.ts';
import { storedEvents, storedOrder } from './stored-events.ts';

const WINDOW_SECONDS = 1_800;
const START = Date.parse('2026-11-20T12:00:00.000Z');
const orderId = '0190b6a0-0000-7000-8000-000000000002';
const owner = '0190b6a0-0000-7000-8000-000000000001';
const settings = { PAYMENT_WINDOW_SECONDS: WINDOW_SECONDS } as CommonSettings & {
  readonly PAYMENT_WINDOW_SECONDS: number;
};

/** A movement of money that was begun: the provider has been asked and has not answered yet. One at a time. */
type InFlight =
  | { readonly kind: 'charge'; readonly commandId: string; readonly amountMinor: number; readonly actor: Actor }
  | { readonly kind: 'refund'; readonly commandId: string; readonly amountMinor: number; readonly actor: Actor };

/** The shop as far as one order goes, kept by the tests' own reckoning beside the order's. */
type World = {
  order: Order;
  readonly events: OrderEvent[];
  now: number;
  inFlight: InFlight | undefined;
  /** What the provider has really moved. */
  charged: number;
  returned: number;
  /** Pieces out of stock for the order, by product. */
  readonly taken: Map<string, number>;
};

type Step =
  | { readonly do: 'create'; readonly lines: readonly { priceMinor: number; quantity: number }[] }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'pay'; readonly actor: Actor }
  | { readonly do: 'answer'; readonly succeeds: boolean }
  | {
      readonly do: 'ship';
      readonly parts: readonly { line: number; quantity: number }[] | undefined;
      readonly actor: Actor;
    }
  | { readonly do: 'deliver'; readonly shipment: number; readonly actor: Actor }
  | { readonly do: 'cancel'; readonly actor: Actor }
  | { readonly do: 'expire'; readonly actor: Actor }
  /** Percent of the total. */
  | { readonly do: 'refund'; readonly percent: number | undefined; readonly actor: Actor };

const actor = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Actor>({ userId: owner, role: 'customer' }) },
  { weight: 1, arbitrary: fc.constant<Actor>({ userId: '0190b6a0-0000-7000-8000-000000000009', role: 'customer' }) },
  { weight: 3, arbitrary: fc.constant<Actor>({ userId: 'staff', role: 'staff' }) },
);
const parts = fc.array(fc.record({ line: fc.nat(3), quantity: fc.integer({ min: 1, max: 4 }) }), {
  minLength: 1,
  maxLength: 4,
});
const line = fc.record({
  priceMinor: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 1_000_000_000 })),
  quantity: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 999 })),
});
const creation: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('create' as const),
  lines: fc.array(line, { minLength: 1, maxLength: 4 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: creation },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 600, WINDOW_SECONDS) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('pay' as const), actor }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('answer' as const), succeeds: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('ship' as const), parts: fc.option(parts, { nil: undefined }), actor }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deliver' as const), shipment: fc.nat(3), actor }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), actor }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('expire' as const), actor }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('refund' as const),
      percent: fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined }),
      actor,
    }),
  },
);

const newWorld = (): World => ({
  order: orders.initial,
  events: [],
  now: START,
  inFlight: undefined,
  charged: 0,
  returned: 0,
  taken: new Map(),
});

const base = (world: World, commandId: string) => ({
  now: new Date(world.now).toISOString(),
  id: orderId,
  commandId,
  version: 0,
  reads: null,
  performed: null,
  settings,
});

function createWith(world: World, wanted: Extract<Step, { do: 'create' }>['lines']): OrderEvent[] {
  const reads = wanted.map(({ priceMinor }, index) => ({
    sku: `p${index}`,
    name: `P${index}`,
    priceMinor,
    currency: 'EUR',
    stock: 999,
  }));
  const lines = wanted.map(({ quantity }, index) => ({ sku: `p${index}`, quantity }));
  return create({ customerId: owner, lines }, world.order, { ...base(world, orderId), reads });
}

/** As pay-order and refund-order begin: the amount is decided, and the provider asked, before anything is stored. */
function begin(world: World, kind: InFlight['kind'], by: Actor, percent?: number): void {
  if (world.inFlight) return;
  const commandId = randomUUID();
  const addressed = { orderId, actor: by };
  const total = world.order.status === 'none' ? 0 : world.order.totalMinor;
  const part = percent === undefined ? {} : { amountMinor: Math.max(1, Math.floor((total * percent) / 100)) };
  const amount =
    kind === 'charge'
      ? payableOrder({ ...addressed, token: 'tok' }, world.order, 0).totalMinor
      : refundable({ ...addressed, reason: 'test', ...part }, world.order, 0).amountMinor;
  world.inFlight = { kind, commandId, amountMinor: amount, actor: by };
}

/** The provider has answered, maybe much later: what it did is decided upon at the order as it stands now. */
function settle(world: World, succeeds: boolean): OrderEvent[] {
  const { inFlight } = world;
  if (!inFlight) return [];
  world.inFlight = undefined;
  const { amountMinor, actor: by } = inFlight;
  const decision = base(world, inFlight.commandId);
  if (inFlight.kind === 'refund') {
    world.returned += amountMinor;
    return refund({ orderId, actor: by, reason: 'test' }, world.order, { ...decision, performed: { amountMinor } });
  }
  if (succeeds) world.charged += amountMinor;
  const performed = succeeds
    ? ({ amountMinor, status: 'succeeded' } as const)
    : ({ amountMinor, status: 'declined', reason: 'declined' } as const);
  return pay({ orderId, actor: by, token: 'tok' }, world.order, { ...decision, performed });
}

function decideStep(world: World, action: Step): OrderEvent[] {
  const { order } = world;
  const decision = base(world, randomUUID());
  switch (action.do) {
    case 'create':
      return createWith(world, action.lines);
    case 'wait':
      world.now += action.seconds * 1_000;
      return [];
    case 'pay':
      begin(world, 'charge', action.actor);
      return [];
    case 'refund':
      begin(world, 'refund', action.actor, action.percent);
      return [];
    case 'answer':
      return settle(world, action.succeeds);
    case 'ship': {
      const lines = action.parts?.map((part) => ({ sku: `p${part.line}`, quantity: part.quantity }));
      const command = {
        orderId,
        actor: action.actor,
        carrier: 'DHL',
        trackingNumber: '1',
        ...(lines ? { lines } : {}),
      };
      return ship(command, order, decision);
    }
    case 'deliver': {
      const shipmentId = order.status === 'none' ? '' : (order.shipments[action.shipment]?.shipmentId ?? '');
      return deliver({ orderId, actor: action.actor, shipmentId }, order, decision);
    }
    case 'cancel':
      return cancel({ orderId, actor: action.actor, reason: 'test' }, order, decision);
    case 'expire':
      return expire({ orderId, actor: action.actor }, order, decision);
  }
}

function takeFromStock({ order, taken }: World, events: readonly OrderEvent[]): void {
  for (const { sku, quantity } of moveStock(events, order).rows as Pieces[])
    taken.set(sku, (taken.get(sku) ?? 0) + quantity);
}

/** Runs a step; a rule that says no leaves all as it was, and anything else that is thrown is a fault. */
function run(world: World, action: Step): readonly OrderEvent[] {
  try {
    const events = decideStep(world, action);
    if (action.do !== 'ship') takeFromStock(world, events);
    for (const event of events) {
      checkEvent(world, event);
      world.order = orders.evolve(world.order, event);
      world.events.push(event);
      checkPublished(world, event);
    }
    return events;
  } catch (error) {
    if (error instanceof AppError && (error.code === 'refused' || error.code === 'not-found')) return [];
    if (error instanceof AppError && error.slug === 'payment-not-due') return [];
    throw error;
  }
}

const count = (world: World, ...types: OrderEvent['type'][]): number =>
  world.events.filter(({ type }) => types.includes(type)).length;

/** What must be true of the order before an event of this type may happen to it. */
function checkEvent({ order, now, inFlight: _ }: World, event: OrderEvent): void {
  const versions = storedEvents[event.type];
  expect(versions[versions.length - 1]?.parse(event.data)).toEqual(event.data);
  if (event.type === 'order.created') return expect(order.status).toBe('none');
  if (order.status === 'none') throw new Error(`${event.type} of no order`);
  if (event.type === 'order.cancelled') expect(order).toMatchObject({ status: 'open', shipments: [] });
  if (event.type === 'order.shipped') {
    expect(order.status).toBe('open');
    expect(order.paidMinor).toBe(order.totalMinor);
    expect(event.data.lines.length).toBeGreaterThan(0);
  }
  if (event.type === 'order.expired') {
    expect(order).toMatchObject({ status: 'open', paidMinor: 0, shipments: [] });
    expect(order.totalMinor).toBeGreaterThan(0);
    expect(now).toBeGreaterThanOrEqual(Date.parse(order.createdAt) + WINDOW_SECONDS * 1_000);
  }
  if (event.type === 'order.paid') expect(event.data.amountMinor).toBe(order.totalMinor);
}

/** What is published of every event is the fold of all events, and as the schema promises. */
function checkPublished({ order, events }: World, event: OrderEvent): void {
  const version = events.length;
  const data = publishedData(orders, event, order, version);
  const folded = orders.publish(events.reduce(orders.evolve, orders.initial), version);
  expect(data).toEqual({ ...event.data, order: folded });
  expect(data).toMatchObject(orderEvents[event.type].parse(data));
  expect(publicOrder.parse(folded)).toMatchObject({ orderId, customerId: owner, version });
}

function checkMoney(world: World, order: ExistingOrder): void {
  const lines = order.lines.reduce((sum, { totalMinor }) => sum + BigInt(totalMinor), 0n);
  expect(BigInt(order.totalMinor)).toBe(lines);
  expect(order.paidMinor).toBe(world.charged);
  expect(order.refundedMinor).toBe(world.returned);
  expect([0, order.totalMinor]).toContain(order.paidMinor);
  expect(order.refundedMinor).toBeLessThanOrEqual(order.paidMinor);
  expect(count(world, 'order.paid')).toBeLessThanOrEqual(order.totalMinor > 0 ? 1 : 0);
  expect(count(world, 'order.payment_failed')).toBeLessThanOrEqual(3);
  expect(order.failedPayments).toBe(count(world, 'order.payment_failed'));
}

/** What was taken out of stock has been shipped or is kept for the order; nothing is kept for one that will ship no more. */
function checkStock(world: World, order: ExistingOrder): void {
  expect(count(world, 'order.created')).toBe(1);
  expect(count(world, 'order.cancelled', 'order.expired')).toBeLessThanOrEqual(1);
  const over = order.status !== 'open' || (order.refundedMinor > 0 && order.refundedMinor === order.paidMinor);
  for (const { sku, quantity } of order.lines) {
    const shipped = shippedQuantity(order, sku);
    expect(world.taken.get(sku)).toBe(over ? shipped : quantity);
  }
}

function checkStatuses(order: ExistingOrder): void {
  const { lines, shipments, status } = order;
  for (const { sku, quantity } of lines) expect(shippedQuantity(order, sku)).toBeLessThanOrEqual(quantity);
  if (shipments.length > 0) expect(order.paidMinor).toBe(order.totalMinor);
  const left = lines.some(({ sku, quantity }) => shippedQuantity(order, sku) < quantity);
  const delivered = !left && shipments.every(({ deliveredAt }) => deliveredAt !== null);
  const wanted =
    shipments.length === 0 ? 'unfulfilled' : left ? 'partially_shipped' : delivered ? 'delivered' : 'shipped';
  expect(fulfilmentStatus(order)).toBe(wanted);
  const { totalMinor, paidMinor, refundedMinor, failedPayments } = order;
  const allBack = refundedMinor > 0 && refundedMinor === paidMinor;
  const arrived = shipments.length > 0 && shipments.every(({ deliveredAt }) => deliveredAt !== null);
  expect(status === 'completed').toBe(arrived && (!left || allBack));
  if (allBack && shipments.length === 0) expect(['cancelled', 'expired']).toContain(status);
  const refunded = refundedMinor === paidMinor ? 'refunded' : 'partially_refunded';
  const unpaid = failedPayments > 0 ? 'failed' : 'pending';
  expect(paymentStatus(order)).toBe(refundedMinor > 0 ? refunded : paidMinor === totalMinor ? 'paid' : unpaid);
}

function checkAll(world: World): void {
  const { order } = world;
  if (order.status === 'none') return expect(world.events).toEqual([]);
  checkMoney(world, order);
  checkStock(world, order);
  checkStatuses(order);
}

const histories = fc.tuple(creation, fc.array(step, { maxLength: 60, size: 'max' }));

test('whatever is asked of an order in whatever order, every invariant holds after every step', () => {
  fc.assert(
    fc.property(histories, ([first, steps]) => {
      const world = newWorld();
      for (const action of [first, ...steps]) {
        run(world, action);
        checkAll(world);
      }
    }),
    { numRuns: 1_500 },
  );
});

test('an order goes on from a snapshot of any version as it does from all of its events', () => {
  fc.assert(
    fc.property(histories, fc.nat(), ([first, steps], anywhere) => {
      const world = newWorld();
      for (const action of [first, ...steps]) run(world, action);
      const { events } = world;
      const version = 1 + (anywhere % events.length);
      const state = fold(orders, events.slice(0, version));
      expect(storedOrder.parse(state)).toStrictEqual(state);
      const kept = JSON.parse(JSON.stringify(state));
      expect(kept).toStrictEqual(state);
      expect(fold(orders, events.slice(version), kept)).toStrictEqual(world.order);
    }),
    { numRuns: 500 },
  );
});

test('commands before the order is created find no order', () => {
  fc.assert(
    fc.property(
      fc.array(
        step.filter((action) => action.do !== 'create'),
        { maxLength: 10 },
      ),
      (steps) => {
        const world = newWorld();
        for (const action of steps) expect(run(world, action)).toEqual([]);
      },
    ),
  );
});

test("a stranger's commands change nothing", () => {
  const stranger: Actor = { userId: '0190b6a0-0000-7000-8000-000000000009', role: 'customer' };
  fc.assert(
    fc.property(histories, step, ([first, steps], last) => {
      const world = newWorld();
      for (const action of [first, ...steps]) run(world, action);
      if (last.do === 'create' || last.do === 'answer') return;
      world.inFlight = undefined;
      expect(run(world, { ...last, ...('actor' in last ? { actor: stranger } : {}) })).toEqual([]);
      expect(world.inFlight).toBeUndefined();
    }),
  );
});

test('the random histories reach every event and every status', () => {
  const events = new Set<string>();
  const statuses = new Set<string>();
  for (const [first, steps] of fc.sample(histories, { numRuns: 1_500, seed: 1 })) {
    const world = newWorld();
    for (const action of [first, ...steps]) {
      for (const { type } of run(world, action)) events.add(type);
      const { order } = world;
      if (order.status !== 'none')
        for (const status of [order.status, paymentStatus(order), fulfilmentStatus(order)]) statuses.add(status);
    }
  }
  expect([...events].sort()).toEqual(Object.keys(orderEvents).sort());
  const { status, paymentStatus: payment, fulfilmentStatus: fulfilment } = publicOrder.shape;
  const all = [...status.options, ...payment._zod.def.innerType.options, ...fulfilment._zod.def.innerType.options];
  expect([...statuses].sort()).toEqual([...all].sort());
});
