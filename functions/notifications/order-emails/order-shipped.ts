/** Pure: order.shipped → what is on its way, with whom, and under which number. */
import { paragraph } from '../content.ts';
import { words } from '../locale.ts';
import type { Template } from '../template.ts';
import { type Data, parcelLines } from './parts.ts';

const WORDS = words({
  en: {
    subject: (orderId: string) => `Your order ${orderId} is on its way`,
    heading: 'A parcel is on its way to you',
    carrier: 'Carrier',
    tracking: 'Tracking number',
    inside: 'In the parcel:',
    more: 'The rest of your order comes in another parcel.',
  },
  de: {
    subject: (orderId) => `Ihre Bestellung ${orderId} ist unterwegs`,
    heading: 'Ein Paket ist zu Ihnen unterwegs',
    carrier: 'Versand mit',
    tracking: 'Sendungsnummer',
    inside: 'Im Paket:',
    more: 'Der Rest Ihrer Bestellung kommt in einem weiteren Paket.',
  },
});

export const orderShipped: Template<Data<'order.shipped'>> = {
  name: 'order-shipped',
  stale: ({ fulfilmentStatus }) => fulfilmentStatus === 'delivered',
  write({ order, carrier, trackingNumber, lines }, { locale }) {
    const said = WORDS[locale];
    const about = [
      { label: said.carrier, value: carrier },
      { label: said.tracking, value: trackingNumber },
    ];
    const more = order.fulfilmentStatus === 'partially_shipped' ? [paragraph(said.more)] : [];
    return {
      subject: said.subject(order.orderId),
      heading: said.heading,
      blocks: [
        { kind: 'lines', lines: about },
        paragraph(said.inside),
        { kind: 'lines', lines: parcelLines(order, lines) },
        ...more,
      ],
    };
  },
};
