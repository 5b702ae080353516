/** POST /v1/webhook-endpoints and below: staff say where partners are told of events, and how. */
import * as z from 'zod/mini';
import { redeliver, sendTest } from '../../notifications/webhook-deliveries.ts';
import {
  changeEndpoint,
  createEndpoint,
  deleteEndpoint,
  endpointChange,
  newEndpoint,
  rotateSecret,
} from '../../notifications/webhook-endpoints.ts';
import type { Bus } from '../../runtime/bus.ts';
import { type Caller, callerRoute, type Route } from '../../runtime/http.ts';
import { nameId } from '../../runtime/ids.ts';
import type { Database } from '../../runtime/postgres.ts';
import { webhookDelivery, webhookEndpoint, webhookEndpointWithSecret } from '../answers.ts';
import { HEADERS, type Headers, idempotencyKey } from '../headers.ts';

const PATH = '/v1/webhook-endpoints';
const params = z.strictObject({ endpointId: z.uuid() });
const SECRET_ONCE =
  'The secret is in the first answer alone; a repeat has null in its place. If that answer was lost, rotate the secret.';
/** Answers with secrets must not be kept. */
const noStore = { 'cache-control': 'no-store' };

/** The same request of the same caller has the same id. */
const idOf = (what: string, { userId }: Caller, about: string, headers: Headers): string =>
  nameId(what, userId, about, idempotencyKey(headers));

/** `loopback`: endpoints on this very machine are allowed. */
export const webhookRoutes = (database: Database, bus: Bus, allowed: { readonly loopback: boolean }): Route[] => [
  callerRoute(
    {
      method: 'POST',
      path: PATH,
      summary: 'Add an endpoint that is told of events',
      details: `There may be 50. ${SECRET_ONCE}`,
      role: 'staff',
      headers: HEADERS.idempotencyKey,
      body: newEndpoint,
      answers: { 201: webhookEndpointWithSecret },
    },
    async ({ body, caller, headers }) => {
      const endpointId = idOf('webhook-endpoint', caller, '', headers);
      const created = await createEndpoint(database, endpointId, body, allowed);
      return { status: 201, body: created, headers: { ...noStore, location: `${PATH}/${endpointId}` } };
    },
  ),

  callerRoute(
    {
      method: 'PATCH',
      path: `${PATH}/:endpointId`,
      summary: 'Change, disable or enable an endpoint',
      details: 'What is left out stays. Deliveries that wait for an endpoint are suppressed when it is disabled.',
      role: 'staff',
      params,
      body: endpointChange,
      answers: { 200: webhookEndpoint },
    },
    async ({ params: { endpointId }, body }) => ({
      status: 200,
      body: await changeEndpoint(database, endpointId, body, allowed),
    }),
  ),

  callerRoute(
    {
      method: 'DELETE',
      path: `${PATH}/:endpointId`,
      summary: 'Remove an endpoint and all its deliveries',
      role: 'staff',
      params,
      answers: { 204: null },
    },
    async ({ params: { endpointId } }) => {
      await deleteEndpoint(database, endpointId);
      return { status: 204 };
    },
  ),

  callerRoute(
    {
      method: 'POST',
      path: `${PATH}/:endpointId/rotate-secret`,
      summary: 'Make a new secret for an endpoint',
      details: `It signs at once, and for 24 hours the one before it signs too. ${SECRET_ONCE}`,
      role: 'staff',
      headers: HEADERS.idempotencyKey,
      params,
      answers: { 200: webhookEndpointWithSecret },
    },
    async ({ params: { endpointId }, caller, headers }) => {
      const secretId = idOf('webhook-secret', caller, endpointId, headers);
      return { status: 200, body: await rotateSecret(database, endpointId, secretId), headers: noStore };
    },
  ),

  callerRoute(
    {
      method: 'POST',
      path: `${PATH}/:endpointId/test`,
      summary: 'Deliver an event of type webhook.test to an endpoint',
      details: 'It is one of its deliveries: its list tells what came of it.',
      role: 'staff',
      headers: HEADERS.idempotencyKey,
      params,
      answers: { 202: webhookDelivery },
    },
    async ({ params: { endpointId }, caller, headers, trace }) => {
      const eventId = idOf('webhook-test', caller, endpointId, headers);
      return { status: 202, body: await sendTest(database, bus, endpointId, eventId, trace) };
    },
  ),

  callerRoute(
    {
      method: 'POST',
      path: `${PATH}/:endpointId/deliveries/:deliveryId/redeliver`,
      summary: 'Try a delivery again, whatever has become of it',
      details: 'At once, and by the same schedule as a new one. Its webhook-id stays the same.',
      role: 'staff',
      headers: HEADERS.idempotencyKey,
      params: z.strictObject({ endpointId: z.uuid(), deliveryId: z.uuid() }),
      answers: { 202: webhookDelivery },
    },
    async ({ params: which, caller, headers, trace }) => {
      const asked = idOf('webhook-redelivery', caller, which.deliveryId, headers);
      return { status: 202, body: await redeliver(database, bus, which, asked, trace) };
    },
  ),
];
