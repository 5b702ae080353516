import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError } from '../../runtime/errors.ts';
import { readSettings } from '../../runtime/process/settings.ts';
import { type Order, orders } from '../order.ts';
import type { Product } from '../products.ts';
import { decide } from './decide.ts';

const customerId = '0190b6a0-0000-7000-8000-000000000001';
const id = '0190b6a0-0000-7000-8000-000000000002';
const now = '2026-11-20T12:00:00.000Z';
const settings = { ...readSettings({}, {}), PAYMENT_WINDOW_SECONDS: 1_800 };
const none: Order = { status: 'none' };

const product = (sku: string, priceMinor: number, stock = 10, currency = 'EUR'): Product => ({
  sku,
  name: sku.toUpperCase(),
  priceMinor,
  currency,
  stock,
});

const decideWith = (products: Product[], lines: { sku: string; quantity: number }[], order: Order = none) =>
  decide({ customerId, lines }, order, {
    now,
    id,
    version: 0,
    commandId: id,
    reads: products,
    performed: null,
    settings,
  });

function refusal(act: () => unknown): AppError {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error('was not refused');
}

test('an order takes its prices from the products and adds them up', () => {
  const [event] = decideWith(
    [product('mug', 1250), product('tea', 480)],
    [
      { sku: 'tea', quantity: 3 },
      { sku: 'mug', quantity: 1 },
    ],
  );
  expect(event?.data).toEqual({
    orderId: id,
    customerId,
    currency: 'EUR',
    lines: [
      { sku: 'tea', name: 'TEA', quantity: 3, unitPriceMinor: 480, totalMinor: 1440 },
      { sku: 'mug', name: 'MUG', quantity: 1, unitPriceMinor: 1250, totalMinor: 1250 },
    ],
    totalMinor: 2690,
    shippingCountry: null,
    createdAt: now,
    paymentDueAt: '2026-11-20T12:30:00.000Z',
  });
});

test('a product that is not for sale is refused, and its line named', () => {
  const error = refusal(() =>
    decideWith(
      [product('mug', 1)],
      [
        { sku: 'mug', quantity: 1 },
        { sku: 'cup', quantity: 1 },
      ],
    ),
  );
  expect(error).toMatchObject({ code: 'refused', slug: 'unknown-product', fields: [{ field: 'lines[1].sku' }] });
});

test('more than there is in stock is refused', () => {
  const error = refusal(() => decideWith([product('mug', 1, 2)], [{ sku: 'mug', quantity: 3 }]));
  expect(error).toMatchObject({ code: 'refused', slug: 'out-of-stock', fields: [{ field: 'lines[0].quantity' }] });
});

test('all that there is in stock can be bought', () => {
  expect(decideWith([product('mug', 1, 3)], [{ sku: 'mug', quantity: 3 }])).toHaveLength(1);
});

test('a product in two lines is refused', () => {
  const error = refusal(() =>
    decideWith(
      [product('mug', 1)],
      [
        { sku: 'mug', quantity: 1 },
        { sku: 'mug', quantity: 1 },
      ],
    ),
  );
  expect(error).toMatchObject({ slug: 'repeated-product', fields: [{ field: 'lines[1].sku' }] });
});

test('two currencies in one order are refused', () => {
  const products = [product('mug', 1), product('hat', 1, 10, 'USD')];
  const lines = [
    { sku: 'mug', quantity: 1 },
    { sku: 'hat', quantity: 1 },
  ];
  expect(refusal(() => decideWith(products, lines)).slug).toBe('mixed-currencies');
});

test('an order that exists is not created again', () => {
  const [created] = decideWith([product('mug', 1)], [{ sku: 'mug', quantity: 1 }]);
  if (!created) throw new Error('not created');
  const order = orders.evolve(none, created);
  expect(refusal(() => decideWith([product('mug', 1)], [{ sku: 'mug', quantity: 1 }], order)).slug).toBe(
    'order-exists',
  );
});

test('whatever is ordered, the total is the exact sum of the lines', () => {
  const line = fc.record({
    priceMinor: fc.integer({ min: 0, max: 1_000_000_000 }),
    quantity: fc.integer({ min: 1, max: 999 }),
  });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 100 }), (wanted) => {
      const products = wanted.map(({ priceMinor }, index) => product(`p${index}`, priceMinor, 999));
      const [event] = decideWith(
        products,
        wanted.map(({ quantity }, index) => ({ sku: `p${index}`, quantity })),
      );
      const exact = wanted.reduce((sum, { priceMinor, quantity }) => sum + BigInt(priceMinor) * BigInt(quantity), 0n);
      expect(event?.type === 'order.created' && BigInt(event.data.totalMinor)).toBe(exact);
    }),
  );
});

test('an order that costs nothing has no payment due', () => {
  const [event] = decideWith([product('gift', 0)], [{ sku: 'gift', quantity: 1 }]);
  expect(event?.data).toMatchObject({ totalMinor: 0, paymentDueAt: null });
});
