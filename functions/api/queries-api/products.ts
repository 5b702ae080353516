/** GET /v1/products: what is for sale. */
import * as z from 'zod/mini';
import { listProducts } from '../../orders/products.ts';
import { publicRoute, type Route } from '../../runtime/http.ts';
import type { Database } from '../../runtime/postgres.ts';
import { product } from '../answers.ts';

export const productRoutes = (database: Database): Route[] => [
  publicRoute(
    {
      method: 'GET',
      path: '/v1/products',
      summary: 'What is for sale',
      answers: { 200: z.object({ products: z.array(product) }) },
    },
    async () => ({ status: 200, body: { products: await listProducts(database) } }),
  ),
];
