/** Every template of an e-mail with an event that it might be written for. */
import { passwordChanged } from '../../../functions/notifications/account-emails/password-changed.ts';
import { passwordReset } from '../../../functions/notifications/account-emails/password-reset.ts';
import { verify } from '../../../functions/notifications/account-emails/verify.ts';
import { welcome } from '../../../functions/notifications/account-emails/welcome.ts';
import { textOf } from '../../../functions/notifications/content.ts';
import { htmlOf } from '../../../functions/notifications/html.ts';
import type { Locale } from '../../../functions/notifications/locale.ts';
import { isOptional } from '../../../functions/notifications/optional.ts';
import { orderCancelled } from '../../../functions/notifications/order-emails/order-cancelled.ts';
import { orderConfirmation } from '../../../functions/notifications/order-emails/order-confirmation.ts';
import { orderDelivered } from '../../../functions/notifications/order-emails/order-delivered.ts';
import { orderExpired } from '../../../functions/notifications/order-emails/order-expired.ts';
import { orderExpiringSoon } from '../../../functions/notifications/order-emails/order-expiring-soon.ts';
import { orderPaymentFailed } from '../../../functions/notifications/order-emails/order-payment-failed.ts';
import { orderRefunded } from '../../../functions/notifications/order-emails/order-refunded.ts';
import { orderShipped } from '../../../functions/notifications/order-emails/order-shipped.ts';
import type { Template } from '../../../functions/notifications/template.ts';
import type { PublicOrder } from '../../../functions/orders/events.ts';

const SHOP = 'https://shop.example';
const id = (last: number): string => `01980000-0000-7000-8000-${String(last).padStart(12, '0')}`;
const time = (clock: string, day = 20): string => `2026-11-${day}T${clock}:00.000Z`;

const parcel = {
  shipmentId: id(7),
  carrier: 'DHL',
  trackingNumber: 'JJD 0001 4600 0000 4711',
  lines: [{ sku: 'mug', quantity: 2 }],
  shippedAt: time('16:30'),
};

export const order: PublicOrder = {
  orderId: id(1),
  version: 1,
  customerId: id(2),
  status: 'open',
  paymentStatus: 'pending',
  fulfilmentStatus: 'unfulfilled',
  currency: 'EUR',
  lines: [
    { sku: 'mug', name: 'Mug', quantity: 2, unitPriceMinor: 1_250, totalMinor: 2_500, shippedQuantity: 0 },
    {
      sku: 'lamp',
      name: 'Reading lamp "Anna & Söhne", brass, with a shade of linen',
      quantity: 1,
      unitPriceMinor: 129_900,
      totalMinor: 129_900,
      shippedQuantity: 0,
    },
  ],
  totalMinor: 132_400,
  paidMinor: 0,
  refundedMinor: 0,
  shippingCountry: 'DE',
  createdAt: time('12:00'),
  paymentDueAt: time('12:30'),
  shipments: [],
};
const paid: PublicOrder = { ...order, version: 2, paymentStatus: 'paid', paidMinor: 132_400 };
const shipped: PublicOrder = {
  ...paid,
  version: 3,
  fulfilmentStatus: 'partially_shipped',
  shipments: [{ ...parcel, deliveredAt: null }],
};

type Example = {
  readonly template: string;
  /** A reader's e-mail: with a link that works no more than the shop does. */
  write(locale: Locale): { readonly subject: string; readonly text: string; readonly html: string };
};

function example<Data>(template: Template<Data>, data: Data): Example {
  const secret = template.link?.token ? '#a-secret-of-this-e-mail-alone' : '';
  const link = template.link ? `${SHOP}${template.link.page(data)}${secret}` : '';
  const unsubscribe = isOptional(template.name) ? `${SHOP}/v1/notifications/unsubscriptions/a-random-token` : undefined;
  return {
    template: template.name,
    write(locale) {
      const content = template.write(data, { locale, link });
      const text = textOf(content, locale, unsubscribe);
      return { subject: content.subject, text, html: htmlOf(content, locale, unsubscribe) };
    },
  };
}

const userId = id(2);

export const EXAMPLES: readonly Example[] = [
  example(orderConfirmation, { order }),
  example(orderPaymentFailed, {
    order: { ...order, version: 2, paymentStatus: 'failed' },
    paymentId: id(3),
    reason: 'declined',
    failedAt: time('12:05'),
  }),
  example(orderExpiringSoon, { order }),
  example(orderExpired, { order: { ...order, version: 2, status: 'expired' }, expiredAt: time('12:30') }),
  example(orderCancelled, {
    order: { ...paid, version: 3, status: 'cancelled' },
    reason: 'changed my mind',
    cancelledAt: time('13:00'),
  }),
  example(orderShipped, { order: shipped, ...parcel }),
  example(orderDelivered, {
    order: { ...shipped, version: 4, shipments: [{ ...parcel, deliveredAt: time('10:15', 22) }] },
    shipmentId: parcel.shipmentId,
    deliveredAt: time('10:15', 22),
  }),
  example(orderRefunded, {
    order: { ...paid, version: 5, paymentStatus: 'partially_refunded', refundedMinor: 3_700 },
    refundId: id(4),
    amountMinor: 1_200,
    reason: 'late',
    refundedAt: time('09:00', 23),
  }),
  example(verify, { userId, createdAt: time('12:00') }),
  example(welcome, { userId, verifiedAt: time('12:02') }),
  example(passwordReset, { userId, requestedAt: time('18:00') }),
  example(passwordChanged, { userId, changedAt: time('18:03') }),
];
