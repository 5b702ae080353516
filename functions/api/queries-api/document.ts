/** GET /openapi.json and GET /docs: the API's document, generated from the routes, and a page to read it; loaded when asked for. */
import * as z from 'zod/mini';
import { publicRoute, type Route } from '../../runtime/http.ts';

const loadDocument = async () => (await import('../../gen/openapi.json', { with: { type: 'json' } })).default;

const CACHE = { 'cache-control': 'public, max-age=60' };

export const documentRoutes = (): Route[] => [
  publicRoute(
    {
      method: 'GET',
      path: '/openapi.json',
      summary: 'This document, as OpenAPI 3.1',
      answers: { 200: z.looseObject({ openapi: z.literal('3.1.0') }) },
    },
    async () => ({ status: 200, body: await loadDocument(), headers: CACHE }),
  ),
  publicRoute(
    { method: 'GET', path: '/docs', summary: 'This document, as a page to read', answers: { 200: 'text/html' } },
    async () => {
      const { docsPage } = await import('./docs-page.ts');
      const headers = {
        ...CACHE,
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      };
      return { status: 200, text: docsPage(await loadDocument()), headers };
    },
  ),
];
