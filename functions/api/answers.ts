/** Schemas of what the APIs answer with, by the names that the API's document gives them. */
import * as z from 'zod/mini';
import { LOCALES, OPTIONAL } from '../notifications/client.ts';
import { delivery } from '../notifications/webhook-deliveries.ts';
import { endpoint } from '../notifications/webhook-endpoints.ts';
import { publicOrder } from '../orders/events.ts';
import { productDetails, sku } from '../orders/products.ts';

export const named = <Schema extends z.ZodMiniType>(schema: Schema, id: string, description: string): Schema => {
  z.globalRegistry.add(schema, { id, description });
  return schema;
};

export const order = named(
  publicOrder,
  'Order',
  'An order. Amounts are whole minor units (cents) of `currency` (ISO 4217), times RFC 3339 in UTC.',
);

export const accepted = named(
  z.object({ orderId: z.uuid(), status: z.literal('accepted') }),
  'Accepted',
  'Stored and not yet done: read the order at Location.',
);

export const product = named(z.extend(productDetails, { sku }), 'Product', 'A product that is for sale.');

export const user = named(
  z.object({
    userId: z.uuid(),
    email: z.string(),
    name: z.string(),
    role: z.enum(['customer', 'staff']),
    createdAt: z.iso.datetime(),
    emailVerifiedAt: z.nullable(z.iso.datetime()),
    suspendedAt: z.nullable(z.iso.datetime()),
  }),
  'User',
  'An account; `name` may be empty.',
);

const tokenFields = {
  accessToken: z.string(),
  tokenType: z.literal('Bearer'),
  expiresInSeconds: z.int().check(z.positive()),
  refreshToken: z.string(),
  sessionExpiresAt: z.iso.datetime(),
};

export const tokens = named(
  z.object(tokenFields),
  'Tokens',
  'Send the access token with each request: Authorization: Bearer <accessToken>. When it has expired, trade the refresh ' +
    'token for the next pair; at `sessionExpiresAt` the session ends in any case.',
);

export const session = named(
  z.object({ ...tokenFields, user }),
  'Session',
  'The tokens of a new session, and whose it is.',
);

export const keySet = named(
  z.object({
    keys: z.array(
      z.object({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string(),
        kid: z.string(),
        alg: z.literal('EdDSA'),
        use: z.literal('sig'),
      }),
    ),
  }),
  'KeySet',
  'A JWK set (RFC 7517) of the public keys that verify access tokens.',
);

export const orderEvent = named(
  z.object({
    version: z.int().check(z.positive()),
    type: z.string(),
    at: z.iso.datetime(),
    actor: z.string(),
    commandId: z.uuid(),
    command: z.nullable(z.string()),
    correlationId: z.nullable(z.uuid()),
    traceId: z.string(),
    data: z.record(z.string(), z.unknown()),
  }),
  'OrderEvent',
  'What happened to an order: `actor` wanted it, by the command and in the trace named; `correlationId` is the command ' +
    'that began the chain, such as the payment that led to a refund; `data` is what changed.',
);

export const salesOfDay = named(
  z.object({
    day: z.iso.date(),
    currency: z.string(),
    orders: z.int().check(z.nonnegative()),
    revenueMinor: z.int().check(z.nonnegative()),
    refunds: z.int().check(z.nonnegative()),
    refundedMinor: z.int().check(z.nonnegative()),
  }),
  'SalesOfDay',
  'Orders created, money taken and money given back on a day (UTC), in whole minor units of one currency.',
);

export const preferences = named(
  z.object({ locale: z.enum(LOCALES), muted: z.array(z.enum(OPTIONAL)) }),
  'NotificationPreferences',
  'The language of what is sent to you, and the templates that are not sent.',
);

export const notification = named(
  z.object({
    notificationId: z.uuid(),
    userId: z.uuid(),
    template: z.string(),
    channel: z.string(),
    status: z.enum(['claimed', 'sent', 'suppressed', 'failed']),
    reason: z.nullable(z.string()),
    attempts: z.int().check(z.nonnegative()),
    orderId: z.nullable(z.uuid()),
    resendOf: z.nullable(z.uuid()),
    createdAt: z.iso.datetime(),
    sentAt: z.nullable(z.iso.datetime()),
  }),
  'Notification',
  'What was sent to a user, or why it was not; of one that was sent again `resendOf` is the first.',
);

export const webhookEndpoint = named(
  endpoint,
  'WebhookEndpoint',
  'Where a partner is told of events. Until `oldSecretExpiresAt` deliveries are signed with the secret before, too.',
);

export const webhookEndpointWithSecret = named(
  z.extend(endpoint, { secret: z.nullable(z.string()) }),
  'WebhookEndpointWithSecret',
  'An endpoint, and the secret that its deliveries are signed with (Standard Webhooks 1.0); null when the request is a repeat.',
);

export const webhookDelivery = named(
  delivery,
  'WebhookDelivery',
  'An event on its way to an endpoint; `deliveryId` is the webhook-id of all its attempts.',
);
