/** Pure: order.delivered → that a parcel has arrived, and what was in it. */
import { paragraph } from '../content.ts';
import { moment, words } from '../locale.ts';
import type { Template } from '../template.ts';
import { type Data, parcelLines } from './parts.ts';

const WORDS = words({
  en: {
    subject: (orderId: string) => `Your order ${orderId} has arrived`,
    heading: 'Your parcel has arrived',
    said: (time: string) => `It was delivered on ${time}. In it:`,
    missing: 'If you do not have it, please answer this e-mail.',
  },
  de: {
    subject: (orderId) => `Ihre Bestellung ${orderId} ist angekommen`,
    heading: 'Ihr Paket ist angekommen',
    said: (time) => `Es wurde am ${time} zugestellt. Darin:`,
    missing: 'Falls Sie es nicht erhalten haben, antworten Sie bitte auf diese E-Mail.',
  },
});

export const orderDelivered: Template<Data<'order.delivered'>> = {
  name: 'order-delivered',
  write({ order, shipmentId, deliveredAt }, { locale }) {
    const said = WORDS[locale];
    const parcel = order.shipments.find((shipment) => shipment.shipmentId === shipmentId)?.lines ?? [];
    return {
      subject: said.subject(order.orderId),
      heading: said.heading,
      blocks: [
        paragraph(said.said(moment(deliveredAt, locale))),
        { kind: 'lines', lines: parcelLines(order, parcel) },
        paragraph(said.missing),
      ],
    };
  },
};
