/** PUT /v1/products/{sku}: staff set what is for sale. */
import * as z from 'zod/mini';
import { productDetails, putProduct, sku } from '../../orders/products.ts';
import { callerRoute, type Route } from '../../runtime/http.ts';
import type { Database } from '../../runtime/postgres.ts';
import { product } from '../answers.ts';

export const productRoutes = (database: Database): Route[] => [
  callerRoute(
    {
      method: 'PUT',
      path: '/v1/products/:sku',
      summary: 'Create or replace a product',
      role: 'staff',
      params: z.strictObject({ sku }),
      body: productDetails,
      answers: { 200: product, 201: product },
    },
    async ({ params, body }) => {
      const put = { sku: params.sku, ...body };
      const created = await putProduct(database, put);
      return { status: created ? 201 : 200, body: put, headers: { location: `/v1/products/${params.sku}` } };
    },
  ),
];
