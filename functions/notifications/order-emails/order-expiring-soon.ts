/** Pure: an order that is not paid yet → the reminder, and when it is due. */
import type { PublicOrder } from '../../orders/events.ts';
import { button, paragraph } from '../content.ts';
import { moment, words } from '../locale.ts';
import type { Template } from '../template.ts';
import { type Data, notPayable, orderLines, payLink } from './parts.ts';

const WORDS = words({
  en: {
    subject: (orderId: string) => `Your order ${orderId} expires soon`,
    heading: 'Your order is waiting for its payment',
    said: (time: string) => `It is not paid yet, and expires on ${time}.`,
    pay: 'Pay now',
  },
  de: {
    subject: (orderId) => `Ihre Bestellung ${orderId} verfällt bald`,
    heading: 'Ihre Bestellung wartet auf die Zahlung',
    said: (time) => `Sie ist noch nicht bezahlt und verfällt am ${time}.`,
    pay: 'Jetzt bezahlen',
  },
});

const MINUTE_MS = 60_000;
const MOST_BEFORE_MS = 24 * 60 * MINUTE_MS;
/** Of an order that must be paid sooner the confirmation is reminder enough. */
const SHORTEST_MS = 10 * MINUTE_MS;

/** Half of the time to pay in before its end, and not more than a day; RFC 3339. Undefined: none is due. */
export function remindAt(
  { createdAt, paymentDueAt, paymentStatus }: Pick<PublicOrder, 'createdAt' | 'paymentDueAt' | 'paymentStatus'>,
  now: number,
): string | undefined {
  if (paymentDueAt === null || paymentStatus !== 'pending') return undefined;
  const due = Date.parse(paymentDueAt);
  const window = due - Date.parse(createdAt);
  if (window < SHORTEST_MS || due <= now) return undefined;
  return new Date(due - Math.min(window / 2, MOST_BEFORE_MS)).toISOString();
}

export const orderExpiringSoon: Template<Data<'order.created'>> = {
  name: 'order-expiring-soon',
  link: payLink,
  stale: notPayable,
  write({ order }, { locale, link }) {
    const said = WORDS[locale];
    const due = order.paymentDueAt === null ? [] : [paragraph(said.said(moment(order.paymentDueAt, locale)))];
    return {
      subject: said.subject(order.orderId),
      heading: said.heading,
      blocks: [...due, orderLines(order, locale), button(said.pay, link)],
    };
  },
};
