/** GET /verify-email, /reset-password and /orders/{id}/payment: the pages that links of e-mails lead to; rendered when asked for. */
import * as z from 'zod/mini';
import { publicRoute, type Route } from '../../runtime/http.ts';

const DETAILS =
  'The token is in the fragment of the link, which a browser sends to nobody; the page posts it when asked to.';

function answerPage({ text, policy }: { readonly text: string; readonly policy: string }) {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'cache-control': 'public, max-age=60',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
  return { status: 200, text, headers };
}

async function answerLinkPage(name: 'verifyEmail' | 'resetPassword') {
  const { linkPage, PAGES } = await import('./link-page.ts');
  return answerPage(linkPage(PAGES[name]));
}

export const linkPageRoutes = (): Route[] => [
  publicRoute(
    {
      method: 'GET',
      path: '/verify-email',
      summary: 'The page to confirm an e-mail address',
      details: DETAILS,
      answers: { 200: 'text/html' },
    },
    () => answerLinkPage('verifyEmail'),
  ),
  publicRoute(
    {
      method: 'GET',
      path: '/reset-password',
      summary: 'The page to set a new password',
      details: DETAILS,
      answers: { 200: 'text/html' },
    },
    () => answerLinkPage('resetPassword'),
  ),
  publicRoute(
    {
      method: 'GET',
      path: '/orders/:orderId/payment',
      summary: 'The page to pay an order',
      details: 'The same for every order: it shows one to whoever has signed in there, by the API, and pays it so.',
      params: z.strictObject({ orderId: z.uuid() }),
      answers: { 200: 'text/html' },
    },
    async () => {
      const { payPage } = await import('./pay-page.ts');
      return answerPage(payPage());
    },
  ),
];
