/** What e-mails about an order have in common: its lines, its links, and what its state rules out. Pure. */
import type * as z from 'zod/mini';
import type { orderEvents, PublicOrder } from '../../orders/events.ts';
import type { Block, Line } from '../content.ts';
import { type Locale, money, words } from '../locale.ts';
import type { Link, OrderState } from '../template.ts';

export type Data<Type extends keyof typeof orderEvents> = z.infer<(typeof orderEvents)[Type]>;
type AnyData = { readonly order: PublicOrder };

const WORDS = words({ en: { total: 'Total' }, de: { total: 'Gesamt' } });

/** The page where an order is paid. */
export const payLink: Link<AnyData> = { page: ({ order }) => `/orders/${order.orderId}/payment` };

const piece = (quantity: number, name: string): string => `${quantity} × ${name}`;

export function orderLines({ lines, currency, totalMinor }: PublicOrder, locale: Locale): Block {
  const total = { label: WORDS[locale].total, value: money(totalMinor, currency, locale) };
  const shown = lines.map(({ quantity, name, totalMinor }) => ({
    label: piece(quantity, name),
    value: money(totalMinor, currency, locale),
  }));
  return { kind: 'lines', lines: shown, total };
}

/** What is in a parcel, by the names that its order has for it. */
export const parcelLines = (
  { lines }: PublicOrder,
  parcel: readonly { readonly sku: string; readonly quantity: number }[],
): Line[] =>
  parcel.map(({ sku, quantity }) => ({
    label: piece(quantity, lines.find((line) => line.sku === sku)?.name ?? sku),
  }));

/** Nobody can pay it any more, or need to. */
export const notPayable = ({ status, paymentStatus }: OrderState): boolean =>
  status !== 'open' || !['pending', 'failed'].includes(paymentStatus);
