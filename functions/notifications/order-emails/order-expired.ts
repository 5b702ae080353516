/** Pure: order.expired → that it is over, and nothing is owed. */
import { paragraph } from '../content.ts';
import { words } from '../locale.ts';
import type { Template } from '../template.ts';
import { type Data, orderLines } from './parts.ts';

const WORDS = words({
  en: {
    subject: (orderId: string) => `Your order ${orderId} has expired`,
    heading: 'Your order has expired',
    said: 'It was not paid in time, and you owe nothing. If you still want these, order them again:',
  },
  de: {
    subject: (orderId) => `Ihre Bestellung ${orderId} ist verfallen`,
    heading: 'Ihre Bestellung ist verfallen',
    said: 'Sie wurde nicht rechtzeitig bezahlt; Sie schulden uns nichts. Wenn Sie die Artikel noch möchten, bestellen Sie sie bitte neu:',
  },
});

export const orderExpired: Template<Data<'order.expired'>> = {
  name: 'order-expired',
  write: ({ order }, { locale }) => ({
    subject: WORDS[locale].subject(order.orderId),
    heading: WORDS[locale].heading,
    blocks: [paragraph(WORDS[locale].said), orderLines(order, locale)],
  }),
};
