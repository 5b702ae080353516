/** Pure: order.created → the order confirmation. */
import { paragraph } from '../content.ts';
import { moment, words } from '../locale.ts';
import type { Template } from '../template.ts';
import { type Data, orderLines } from './parts.ts';

const WORDS = words({
  en: {
    subject: (orderId: string) => `Your order ${orderId}`,
    heading: 'Thank you for your order',
    due: (time: string) => `Please pay by ${time}; then it expires.`,
  },
  de: {
    subject: (orderId) => `Ihre Bestellung ${orderId}`,
    heading: 'Vielen Dank für Ihre Bestellung',
    due: (time) => `Bitte bezahlen Sie bis ${time}; danach verfällt sie.`,
  },
});

export const orderConfirmation: Template<Data<'order.created'>> = {
  name: 'order-confirmation',
  write({ order }, { locale }) {
    const said = WORDS[locale];
    const due = order.paymentDueAt === null ? [] : [paragraph(said.due(moment(order.paymentDueAt, locale)))];
    return { subject: said.subject(order.orderId), heading: said.heading, blocks: [orderLines(order, locale), ...due] };
  },
};
