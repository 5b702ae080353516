/** PUT /v1/users/me/password and POST /v1/password-resets: a new password for who knows the old one, or reads the e-mail. */
import * as z from 'zod/mini';
import { callerRoute, publicRoute, type Route } from '../../runtime/http.ts';
import type { UserClient } from '../../users/client.ts';
import { withFieldsNamed } from '../fields.ts';

const text = z.string().check(z.maxLength(1_000));
const FIELDS = { current_password: 'currentPassword', new_password: 'newPassword' };
const headers = { 'cache-control': 'no-store' };

export const passwordRoutes = (users: UserClient): Route[] => [
  callerRoute(
    {
      method: 'PUT',
      path: '/v1/users/me/password',
      summary: 'Change your password and end your other sessions',
      details: 'A wrong current password is 401 `wrong-credentials`.',
      body: z.strictObject({ currentPassword: text, newPassword: text }),
      answers: { 204: null },
    },
    async ({ body, accessToken, clientAddress, trace }) => {
      await withFieldsNamed(FIELDS, users.changePassword({ ...body, accessToken, clientAddress }, trace));
      return { status: 204, headers };
    },
  ),

  publicRoute(
    {
      method: 'POST',
      path: '/v1/password-resets',
      summary: 'Ask for an e-mail with a link to set a new password',
      details:
        'The answer is the same whether or not anybody has this e-mail address. The link is good for 30 minutes.',
      body: z.strictObject({ email: text }),
      answers: { 202: null },
    },
    async ({ body, clientAddress, trace }) => {
      await users.requestPasswordReset({ ...body, clientAddress }, trace);
      return { status: 202, headers };
    },
  ),

  publicRoute(
    {
      method: 'POST',
      path: '/v1/password-resets/confirmations',
      summary: 'Set a new password with the token of the e-mail, and end all sessions',
      details: 'A token works once. One that is used, too old, or was never given, is 409 `link-invalid`.',
      body: z.strictObject({ token: text, newPassword: text }),
      answers: { 204: null },
    },
    async ({ body, trace }) => {
      await withFieldsNamed(FIELDS, users.resetPassword(body, trace));
      return { status: 204, headers };
    },
  ),
];
