/** Pure: order.refunded → how much was given back. */
import { paragraph } from '../content.ts';
import { money, words } from '../locale.ts';
import type { Template } from '../template.ts';
import type { Data } from './parts.ts';

const WORDS = words({
  en: {
    subject: (orderId: string) => `Money back for your order ${orderId}`,
    heading: 'You get money back',
    said: 'It goes back the way you paid, and may take a few days to arrive.',
    now: 'Given back',
    paid: 'You have paid',
    all: 'Given back in all',
  },
  de: {
    subject: (orderId) => `Erstattung für Ihre Bestellung ${orderId}`,
    heading: 'Sie bekommen Geld zurück',
    said: 'Das Geld kommt auf dem Weg zurück, auf dem Sie bezahlt haben. Das kann ein paar Tage dauern.',
    now: 'Erstattet',
    paid: 'Sie haben bezahlt',
    all: 'Insgesamt erstattet',
  },
});

export const orderRefunded: Template<Data<'order.refunded'>> = {
  name: 'order-refunded',
  write({ order, amountMinor }, { locale }) {
    const said = WORDS[locale];
    const shown = (minor: number): string => money(minor, order.currency, locale);
    return {
      subject: said.subject(order.orderId),
      heading: said.heading,
      blocks: [
        {
          kind: 'lines',
          lines: [
            { label: said.now, value: shown(amountMinor) },
            { label: said.paid, value: shown(order.paidMinor) },
          ],
          total: { label: said.all, value: shown(order.refundedMinor) },
        },
        paragraph(said.said),
      ],
    };
  },
};
