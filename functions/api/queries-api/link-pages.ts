/** GET /verify-email and GET /reset-password: the pages that the links of e-mails lead to; rendered when asked for. */
import { publicRoute, type Route } from '../../runtime/routes.ts';

const DETAILS =
  'The token is in the fragment of the link, which a browser sends to nobody; the page posts it when asked to.';

async function answerPage(name: 'verifyEmail' | 'resetPassword') {
  const { linkPage, PAGES } = await import('./link-page.ts');
  const { text, policy } = linkPage(PAGES[name]);
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'cache-control': 'public, max-age=60',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
  return { status: 200, text, headers };
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
    () => answerPage('verifyEmail'),
  ),
  publicRoute(
    {
      method: 'GET',
      path: '/reset-password',
      summary: 'The page to set a new password',
      details: DETAILS,
      answers: { 200: 'text/html' },
    },
    () => answerPage('resetPassword'),
  ),
];
