/** GET /v1/users and GET /v1/users/me: accounts for staff, and everybody's own, asked of user-service. */
import * as z from 'zod/mini';
import { callerRoute, type Route } from '../../runtime/http.ts';
import type { UserClient } from '../../users/client.ts';
import { user } from '../answers.ts';
import { withFieldsNamed } from '../fields.ts';
import { foreignCursor, wholeNumber } from '../query.ts';

const page = z.strictObject({
  limit: z.optional(wholeNumber(1, 100, 'How many users at most; 20 unless told.')),
  cursor: z.optional(foreignCursor),
});
const FIELDS = { page_size: 'limit', page_token: 'cursor' };

function nextPage({ limit }: z.infer<typeof page>, cursor: string): string {
  const query = new URLSearchParams({ ...(limit === undefined ? {} : { limit: String(limit) }), cursor });
  return `</v1/users?${query}>; rel="next"`;
}

export const userRoutes = (users: UserClient): Route[] => [
  callerRoute(
    {
      method: 'GET',
      path: '/v1/users',
      summary: 'Users, newest first',
      details: 'When there is a next page, the header Link names it (rel="next").',
      role: 'staff',
      query: page,
      answers: { 200: z.object({ users: z.array(user) }) },
    },
    async ({ query, accessToken, trace }) => {
      const asked = { accessToken, pageSize: query.limit, pageToken: query.cursor };
      const { users: found, next } = await withFieldsNamed(FIELDS, users.listUsers(asked, trace));
      return { status: 200, body: { users: found }, headers: next ? { link: nextPage(query, next) } : {} };
    },
  ),

  callerRoute(
    { method: 'GET', path: '/v1/users/me', summary: 'Your own account', answers: { 200: user } },
    async ({ caller: { userId }, accessToken, trace }) => ({
      status: 200,
      body: await users.getUser({ userId, accessToken }, trace),
    }),
  ),
];
