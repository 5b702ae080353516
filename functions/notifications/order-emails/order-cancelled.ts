/** Pure: order.cancelled → that it is over, and what becomes of the money. */
import { paragraph } from '../content.ts';
import { money, words } from '../locale.ts';
import type { Template } from '../template.ts';
import { type Data, orderLines } from './parts.ts';

const WORDS = words({
  en: {
    subject: (orderId: string) => `Your order ${orderId} is cancelled`,
    heading: 'Your order is cancelled',
    nothing: 'You have nothing to pay.',
    back: (amount: string) => `We give ${amount} back to you, the way you paid.`,
    given: 'All that you paid has been given back.',
  },
  de: {
    subject: (orderId) => `Ihre Bestellung ${orderId} ist storniert`,
    heading: 'Ihre Bestellung ist storniert',
    nothing: 'Sie haben nichts zu bezahlen.',
    back: (amount) => `Wir erstatten Ihnen ${amount} auf dem Weg, auf dem Sie bezahlt haben.`,
    given: 'Alles, was Sie bezahlt haben, wurde Ihnen erstattet.',
  },
});

export const orderCancelled: Template<Data<'order.cancelled'>> = {
  name: 'order-cancelled',
  write({ order }, { locale }) {
    const said = WORDS[locale];
    const left = order.paidMinor - order.refundedMinor;
    const returned = left > 0 ? said.back(money(left, order.currency, locale)) : said.given;
    return {
      subject: said.subject(order.orderId),
      heading: said.heading,
      blocks: [paragraph(order.paidMinor === 0 ? said.nothing : returned), orderLines(order, locale)],
    };
  },
};
