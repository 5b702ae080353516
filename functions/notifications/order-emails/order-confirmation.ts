/** Pure: order.created → the order confirmation. */
import { button, paragraph } from '../content.ts';
import { moment, words } from '../locale.ts';
import type { Template } from '../template.ts';
import { type Data, notPayable, orderLines, payLink } from './parts.ts';

const WORDS = words({
  en: {
    subject: (orderId: string) => `Your order ${orderId}`,
    heading: 'Thank you for your order',
    due: (time: string) => `Please pay by ${time}. After that the order expires.`,
    pay: 'Pay now',
  },
  de: {
    subject: (orderId) => `Ihre Bestellung ${orderId}`,
    heading: 'Vielen Dank für Ihre Bestellung',
    due: (time) => `Bitte bezahlen Sie bis zum ${time}. Danach verfällt die Bestellung.`,
    pay: 'Jetzt bezahlen',
  },
});

export const orderConfirmation: Template<Data<'order.created'>> = {
  name: 'order-confirmation',
  link: payLink,
  write({ order }, { locale, link, now }) {
    const said = WORDS[locale];
    const due = now && notPayable(now) ? null : order.paymentDueAt;
    const pay = due === null ? [] : [paragraph(said.due(moment(due, locale))), button(said.pay, link)];
    return { subject: said.subject(order.orderId), heading: said.heading, blocks: [orderLines(order, locale), ...pay] };
  },
};
