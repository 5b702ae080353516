/** Pure: order.payment_failed → that the order is not paid, and where to pay it. */
import { button, paragraph } from '../content.ts';
import { moment, money, words } from '../locale.ts';
import type { Template } from '../template.ts';
import { type Data, notPayable, payLink } from './parts.ts';

const WORDS = words({
  en: {
    subject: (orderId: string) => `The payment of your order ${orderId} failed`,
    heading: 'Your payment did not go through',
    said: (total: string) => `No money was taken. ${total} is still to be paid.`,
    due: (time: string) => `We keep the order for you until ${time}.`,
    pay: 'Pay now',
  },
  de: {
    subject: (orderId) => `Die Zahlung Ihrer Bestellung ${orderId} ist fehlgeschlagen`,
    heading: 'Ihre Zahlung ist fehlgeschlagen',
    said: (total) => `Es wurde nichts abgebucht. Offen sind noch ${total}.`,
    due: (time) => `Wir halten die Bestellung bis zum ${time} für Sie bereit.`,
    pay: 'Jetzt bezahlen',
  },
});

export const orderPaymentFailed: Template<Data<'order.payment_failed'>> = {
  name: 'order-payment-failed',
  link: payLink,
  stale: notPayable,
  write({ order }, { locale, link }) {
    const said = WORDS[locale];
    const due = order.paymentDueAt === null ? [] : [paragraph(said.due(moment(order.paymentDueAt, locale)))];
    return {
      subject: said.subject(order.orderId),
      heading: said.heading,
      blocks: [paragraph(said.said(money(order.totalMinor, order.currency, locale))), ...due, button(said.pay, link)],
    };
  },
};
