/** PUT and POST below /v1/notifications: preferences, sending one again, unsubscribing by a link, and addresses that take none. */
import * as z from 'zod/mini';
import {
  LOCALES,
  muteByToken,
  OPTIONAL,
  putPreferences,
  refuseAddress,
  resend,
  takeAddress,
} from '../../notifications/client.ts';
import type { Bus } from '../../runtime/bus.ts';
import { callerRoute, publicRoute, type Route } from '../../runtime/http.ts';
import { nameId } from '../../runtime/ids.ts';
import type { Database } from '../../runtime/postgres.ts';
import { notification, preferences } from '../answers.ts';
import { HEADERS, idempotencyKey } from '../headers.ts';

const address = z.strictObject({
  email: z.email('is not an e-mail address; write it like name@example.com').check(z.maxLength(254)),
});

const changes = z.strictObject({
  locale: z.optional(z.enum(LOCALES)),
  muted: z.optional(
    z
      .array(z.enum(OPTIONAL, `cannot be muted; ${OPTIONAL.join(', ')} can`))
      .check(z.maxLength(OPTIONAL.length, `has at most ${OPTIONAL.length} templates`)),
  ),
});

/** What a mail program posts (RFC 8058), and a browser from the page. */
const oneClick = z.object({ 'List-Unsubscribe': z.optional(z.literal('One-Click')) });

const DONE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Done</title><meta name="color-scheme" content="light dark"></head>
<body><h1>Done</h1><p>You get no more e-mails of this kind.</p></body></html>
`;
const DONE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'",
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export const notificationRoutes = (bus: Bus, database: Database): Route[] => [
  callerRoute(
    {
      method: 'PUT',
      path: '/v1/notifications/preferences',
      summary: 'Set in which language you are told, and what you can do without',
      details:
        'What is left out stays as it is. E-mails about a contract or the safety of your account cannot be muted: ' +
        `${OPTIONAL.join(', ')} can.`,
      body: changes,
      answers: { 200: preferences },
    },
    async ({ caller, body }) => ({ status: 200, body: await putPreferences(database, caller.userId, body) }),
  ),

  callerRoute(
    {
      method: 'POST',
      path: '/v1/notifications/:notificationId/resend',
      summary: 'Have a notification sent again, up to five times: your own, or for staff anybody’s',
      details:
        'The answer is a new notification that names the first; GET /v1/notifications tells what becomes of it. It is ' +
        'sent even if it was muted or is no news any more, but not to an address that takes no e-mail.',
      params: z.strictObject({ notificationId: z.uuid() }),
      headers: HEADERS.idempotencyKey,
      answers: { 202: notification },
    },
    async ({ caller, params: { notificationId }, headers, trace }) => {
      const newId = nameId('resend', caller.userId, notificationId, idempotencyKey(headers));
      const userId = caller.role === 'staff' ? undefined : caller.userId;
      return { status: 202, body: await resend({ bus, database }, { newId, notificationId, userId }, trace) };
    },
  ),

  publicRoute(
    {
      method: 'POST',
      path: '/v1/notifications/unsubscriptions/:token',
      summary: 'Get no more e-mails of the kind that the link was in',
      details:
        'For mail programs (RFC 8058) and the page at the same address. Again, or with a token of nobody, the answer is the same.',
      params: z.strictObject({ token: z.string().check(z.regex(/^[\w-]{1,100}$/)) }),
      takes: { 'application/x-www-form-urlencoded': oneClick },
      answers: { 200: 'text/html' },
    },
    async ({ params }) => {
      await muteByToken(database, params.token);
      return { status: 200, text: DONE, headers: DONE_HEADERS };
    },
  ),

  callerRoute(
    {
      method: 'POST',
      path: '/v1/notifications/bounces',
      summary: 'Note that an address takes no e-mail, as the mail provider says',
      details: 'What is sent to it later is suppressed. Only a hash of the address is kept.',
      role: 'staff',
      body: address,
      answers: { 204: null },
    },
    async ({ body }) => {
      await refuseAddress(database, body.email);
      return { status: 204 };
    },
  ),

  callerRoute(
    {
      method: 'POST',
      path: '/v1/notifications/bounces/removals',
      summary: 'Send to an address again',
      role: 'staff',
      body: address,
      answers: { 204: null },
    },
    async ({ body }) => {
      await takeAddress(database, body.email);
      return { status: 204 };
    },
  ),
];
