/** Pure: what is asked for + products → order.created with the server's prices, or the rule that refuses it. */
import type * as z from 'zod/mini';
import type { Decision } from '../../runtime/command.ts';
import { refused } from '../../runtime/errors.ts';
import type { createOrder } from '../commands.ts';
import type { Line, Order, OrderEventOf } from '../order.ts';
import type { Product } from '../products.ts';

type Request = z.infer<typeof createOrder>;

function toLine(
  wanted: Request['lines'][number],
  index: number,
  products: readonly Product[],
): Line & { currency: string } {
  const field = `lines[${index}]`;
  const product = products.find(({ sku }) => sku === wanted.sku);
  if (!product)
    throw refused('unknown-product', `There is no product '${wanted.sku}'`, [
      { field: `${field}.sku`, message: 'is not for sale' },
    ]);
  if (product.stock < wanted.quantity)
    throw refused('out-of-stock', `There are ${product.stock} of '${wanted.sku}' left, not ${wanted.quantity}`, [
      { field: `${field}.quantity`, message: `is more than the ${product.stock} in stock` },
    ]);
  const { sku, name, priceMinor, currency } = product;
  return {
    sku,
    name,
    quantity: wanted.quantity,
    unitPriceMinor: priceMinor,
    totalMinor: priceMinor * wanted.quantity,
    currency,
  };
}

function refuseRepeats(lines: Request['lines']): void {
  const seen = new Set<string>();
  lines.forEach(({ sku }, index) => {
    if (seen.has(sku))
      throw refused('repeated-product', `'${sku}' is in two lines`, [
        { field: `lines[${index}].sku`, message: 'is there already; add up the quantities' },
      ]);
    seen.add(sku);
  });
}

export function decide(
  request: Request,
  order: Order,
  {
    now,
    id,
    reads: products,
    settings,
  }: Decision<readonly Product[], null, { readonly PAYMENT_WINDOW_SECONDS: number }>,
): OrderEventOf<'order.created'>[] {
  if (order.status !== 'none') throw refused('order-exists', `Order ${id} exists already`);
  refuseRepeats(request.lines);
  const lines = request.lines.map((line, index) => toLine(line, index, products));
  const currencies = [...new Set(lines.map(({ currency }) => currency))];
  const [currency = '', ...others] = currencies;
  if (others.length > 0)
    throw refused('mixed-currencies', `An order has one currency; these products have ${currencies.join(', ')}`);
  const totalMinor = lines.reduce((sum, line) => sum + line.totalMinor, 0);
  const paymentDueAt = new Date(Date.parse(now) + settings.PAYMENT_WINDOW_SECONDS * 1_000).toISOString();
  return [
    {
      type: 'order.created',
      data: {
        orderId: id,
        customerId: request.customerId,
        currency,
        lines: lines.map(({ currency: _, ...line }) => line),
        totalMinor,
        shippingCountry: request.shippingCountry ?? null,
        createdAt: now,
        paymentDueAt: totalMinor > 0 ? paymentDueAt : null,
      },
    },
  ];
}
