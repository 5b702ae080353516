/** PUT /v1/products/{sku}: staff set what is for sale. */
import * as z from 'zod/mini';
import { productDetails, putProduct, sku } from '../../orders/products.ts';
import { callerRoute, type Route } from '../../runtime/http.ts';
import type { Database } from '../../runtime/postgres.ts';

export const productRoutes = (database: Database): Route[] => [
  callerRoute(
    { method: 'PUT', path: '/v1/products/:sku', role: 'staff', params: z.strictObject({ sku }), body: productDetails },
    async ({ params, body }) => {
      const product = { sku: params.sku, ...body };
      const created = await putProduct(database, product);
      return { status: created ? 201 : 200, body: product, headers: { location: `/v1/products/${params.sku}` } };
    },
  ),
];
