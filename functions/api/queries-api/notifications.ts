/** GET below /v1/notifications: what was sent to a user or why not, the preferences, and the page to unsubscribe. */
import * as z from 'zod/mini';
import { listNotifications, readPreferences } from '../../notifications/client.ts';
import { AppError } from '../../runtime/errors.ts';
import { callerRoute, publicRoute, type Route } from '../../runtime/http.ts';
import type { Database } from '../../runtime/postgres.ts';
import { notification, preferences } from '../answers.ts';
import { cursor, cursorOf, wholeNumber } from '../query.ts';

const page = z.strictObject({
  userId: z.optional(z.uuid()),
  limit: z.optional(wholeNumber(1, 100, 'How many notifications at most; 20 unless told.')),
  cursor: z.optional(cursor),
});
const DEFAULT_LIMIT = 20;

/** A mail scanner follows links: only the button changes anything. */
const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fewer e-mails</title><style>
:root { color-scheme: light dark }
body { font: 18px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 0 auto; padding: 3rem 1rem; background: light-dark(#fff, #0f1419) }
button { font: inherit; width: 100%; min-height: 3rem; border: 0; border-radius: 8px; font-weight: 600;
  background: light-dark(#0b5c7a, #6cc4e6); color: light-dark(#fff, #0f1419) }
</style></head>
<body><h1>Fewer e-mails</h1><p>Get no more e-mails of the kind that the link was in. All others still come.</p>
<form method="post"><button>Send me no more of them</button></form></body>
</html>
`;
const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

function nextPage(query: z.infer<typeof page>, next: string): string {
  const { userId, limit } = query;
  const parameters = {
    ...(userId ? { userId } : {}),
    ...(limit === undefined ? {} : { limit: String(limit) }),
    cursor: next,
  };
  return `</v1/notifications?${new URLSearchParams(parameters)}>; rel="next"`;
}

export const notificationRoutes = (database: Database): Route[] => [
  callerRoute(
    {
      method: 'GET',
      path: '/v1/notifications',
      summary: 'What was sent to you, or why it was not, newest first; for staff also to another user',
      details:
        '`status` is claimed while it is on its way, sent when the mail server has taken it, suppressed when it was not to be ' +
        'sent, and failed when the address does not exist or the e-mail was given up; then `reason` says why. When there is a next page, the header Link names it (rel="next").',
      query: page,
      answers: { 200: z.object({ notifications: z.array(notification) }) },
    },
    async ({ caller, query }) => {
      const userId = query.userId ?? caller.userId;
      if (userId !== caller.userId && caller.role !== 'staff')
        throw new AppError('forbidden', 'wrong-role', 'Only staff may see what was sent to others; leave userId out');
      const limit = query.limit ?? DEFAULT_LIMIT;
      const found = await listNotifications(database, userId, { limit: limit + 1, after: query.cursor });
      const shown = found.slice(0, limit);
      const last = found.length > limit ? shown.at(-1) : undefined;
      const next = last && cursorOf({ createdAt: last.createdAt, id: last.notificationId });
      return { status: 200, body: { notifications: shown }, headers: next ? { link: nextPage(query, next) } : {} };
    },
  ),

  callerRoute(
    {
      method: 'GET',
      path: '/v1/notifications/preferences',
      summary: 'In which language you are told, and what you do without',
      answers: { 200: preferences },
    },
    async ({ caller }) => ({ status: 200, body: await readPreferences(database, caller.userId) }),
  ),

  publicRoute(
    {
      method: 'GET',
      path: '/v1/notifications/unsubscriptions/:token',
      summary: 'The page to get no more e-mails of a kind',
      details: 'It changes nothing until its button is used, which posts to the same address.',
      params: z.strictObject({ token: z.string().check(z.regex(/^[\w-]{1,100}$/)) }),
      answers: { 200: 'text/html' },
    },
    async () => ({ status: 200, text: PAGE, headers: PAGE_HEADERS }),
  ),
];
