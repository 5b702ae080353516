/** GET /v1/products and GET /v1/users/me: what is for sale, and the caller's own account. */
import * as z from 'zod/mini';
import { listProducts } from '../../orders/products.ts';
import { callerRoute, publicRoute, type Route } from '../../runtime/http.ts';
import type { Database } from '../../runtime/postgres.ts';
import type { openUserClient } from '../../users/client.ts';
import { product, user } from '../answers.ts';

export const shopRoutes = (database: Database, users: ReturnType<typeof openUserClient>): Route[] => [
  publicRoute(
    {
      method: 'GET',
      path: '/v1/products',
      summary: 'What is for sale',
      answers: { 200: z.object({ products: z.array(product) }) },
    },
    async () => ({ status: 200, body: { products: await listProducts(database) } }),
  ),

  callerRoute(
    { method: 'GET', path: '/v1/users/me', summary: 'Your own account', answers: { 200: user } },
    async ({ caller, trace }) => ({ status: 200, body: await users.getUser({ userId: caller.userId }, trace) }),
  ),
];
