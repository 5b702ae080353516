/** Routes of queries-api. Customers see their own orders only; staff see all; another's order is 404. */
import * as z from 'zod/mini';
import { listProducts } from '../../orders/products.ts';
import { notFound } from '../../runtime/errors.ts';
import { callerRoute, publicRoute, type Route } from '../../runtime/http.ts';
import type { Database } from '../../runtime/postgres.ts';
import type { openUserClient } from '../../users/client.ts';
import { findOrder, listOrders } from './orders.ts';

const page = z.strictObject({
  limit: z.optional(z.string().check(z.regex(/^([1-9]\d?|100)$/, 'must be a whole number from 1 to 100'))),
});

export const queryRoutes = (database: Database, users: ReturnType<typeof openUserClient>): Route[] => [
  publicRoute({ method: 'GET', path: '/v1/products' }, async () => ({
    status: 200,
    body: { products: await listProducts(database) },
  })),

  callerRoute({ method: 'GET', path: '/v1/users/me' }, async ({ caller, trace }) => ({
    status: 200,
    body: await users.getUser({ userId: caller.userId }, trace),
  })),

  callerRoute({ method: 'GET', path: '/v1/orders', query: page }, async ({ caller, query }) => ({
    status: 200,
    body: { orders: await listOrders(database, caller, Number(query.limit ?? 20)) },
  })),

  callerRoute(
    { method: 'GET', path: '/v1/orders/:orderId', params: z.strictObject({ orderId: z.uuid() }) },
    async ({ caller, params }) => {
      const order = await findOrder(database, caller, params.orderId);
      if (!order) throw notFound('order-not-found', `There is no order ${params.orderId}`);
      return { status: 200, body: order };
    },
  ),
];
