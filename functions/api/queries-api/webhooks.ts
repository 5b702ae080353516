/** GET /v1/webhook-endpoints and below: for staff, where partners are told of events, and what came of each delivery. */
import * as z from 'zod/mini';
import { deliveryStatus, listDeliveries } from '../../notifications/webhook-deliveries.ts';
import { findEndpoint, listEndpoints } from '../../notifications/webhook-endpoints.ts';
import { callerRoute, type Route } from '../../runtime/http.ts';
import type { Database } from '../../runtime/postgres.ts';
import { webhookDelivery, webhookEndpoint } from '../answers.ts';
import { cursor, cursorOf, wholeNumber } from '../query.ts';

const PATH = '/v1/webhook-endpoints';
const params = z.strictObject({ endpointId: z.uuid() });
const page = z.strictObject({
  status: z.optional(deliveryStatus),
  limit: z.optional(wholeNumber(1, 100, 'How many deliveries at most; 20 unless told.')),
  cursor: z.optional(cursor),
});
const DEFAULT_LIMIT = 20;

function nextPage(endpointId: string, { status, limit }: z.infer<typeof page>, next: string): string {
  const asked = { ...(status ? { status } : {}), ...(limit ? { limit: String(limit) } : {}), cursor: next };
  return `<${PATH}/${endpointId}/deliveries?${new URLSearchParams(asked)}>; rel="next"`;
}

export const webhookRoutes = (database: Database): Route[] => [
  callerRoute(
    {
      method: 'GET',
      path: PATH,
      summary: 'The endpoints that are told of events, oldest first',
      role: 'staff',
      answers: { 200: z.object({ endpoints: z.array(webhookEndpoint) }) },
    },
    async () => ({ status: 200, body: { endpoints: await listEndpoints(database) } }),
  ),

  callerRoute(
    {
      method: 'GET',
      path: `${PATH}/:endpointId`,
      summary: 'An endpoint, without its secret',
      role: 'staff',
      params,
      answers: { 200: webhookEndpoint },
    },
    async ({ params: { endpointId } }) => ({ status: 200, body: await findEndpoint(database, endpointId) }),
  ),

  callerRoute(
    {
      method: 'GET',
      path: `${PATH}/:endpointId/deliveries`,
      summary: 'What an endpoint was told, newest first, and what came of it',
      details: 'When there is a next page, the header Link names it (rel="next").',
      role: 'staff',
      params,
      query: page,
      answers: { 200: z.object({ deliveries: z.array(webhookDelivery) }) },
    },
    async ({ params: { endpointId }, query }) => {
      await findEndpoint(database, endpointId);
      const limit = query.limit ?? DEFAULT_LIMIT;
      const found = await listDeliveries(database, endpointId, { ...query, limit });
      const deliveries = found.slice(0, limit);
      const last = found.length > limit ? deliveries.at(-1) : undefined;
      const next = last && cursorOf({ createdAt: last.createdAt, id: last.deliveryId });
      return { status: 200, body: { deliveries }, headers: next ? { link: nextPage(endpointId, query, next) } : {} };
    },
  ),
];
