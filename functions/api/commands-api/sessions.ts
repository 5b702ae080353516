/** POST /v1/sessions and below: sign in, go on with a session, sign out, by user-service. Tokens travel in bodies alone. */
import * as z from 'zod/mini';
import { callerRoute, publicRoute, type Route } from '../../runtime/http.ts';
import type { Tokens, UserClient } from '../../users/client.ts';
import { session, tokens } from '../answers.ts';

const text = z.string().check(z.maxLength(1_000));
const headers = { 'cache-control': 'no-store' };

const tokensOf = ({ accessToken, expiresInSeconds, refreshToken, sessionExpiresAt }: Tokens) => ({
  accessToken,
  tokenType: 'Bearer',
  expiresInSeconds,
  refreshToken,
  sessionExpiresAt,
});

export const sessionRoutes = (users: UserClient): Route[] => [
  publicRoute(
    {
      method: 'POST',
      path: '/v1/sessions',
      summary: 'Sign in',
      details:
        'The access token is good for `expiresInSeconds`. Too many tries are 429, with the seconds to wait as Retry-After.',
      body: z.strictObject({ email: text, password: text }),
      answers: { 201: session },
    },
    async ({ body, clientAddress, trace }) => {
      const signedIn = await users.authenticate({ ...body, clientAddress }, trace);
      return { status: 201, body: { ...tokensOf(signedIn), user: signedIn.user }, headers };
    },
  ),

  publicRoute(
    {
      method: 'POST',
      path: '/v1/sessions/refresh',
      summary: 'Trade a refresh token for the next pair of tokens',
      details:
        'Each refresh token is used once. For 10 seconds it answers the same again, for who lost the answer; used later, ' +
        'it ends the session, for then somebody else has it too.',
      body: z.strictObject({ refreshToken: text }),
      answers: { 200: tokens },
    },
    async ({ body, trace }) => ({ status: 200, body: tokensOf(await users.refreshToken(body, trace)), headers }),
  ),

  callerRoute(
    {
      method: 'DELETE',
      path: '/v1/sessions/current',
      summary: 'Sign out',
      details: 'The refresh token is good no more. The access token stays good until it expires: forget it.',
      answers: { 204: null },
    },
    async ({ accessToken, trace }) => {
      await users.revokeSession({ accessToken }, trace);
      return { status: 204, headers };
    },
  ),
];
