/** POST /v1/users and POST /v1/sessions: sign up and sign in, by user-service. */
import * as z from 'zod/mini';
import { publicRoute, type Route } from '../../runtime/http.ts';
import type { openUserClient } from '../../users/client.ts';
import { session, user } from '../answers.ts';

/** Only shape and size are checked here; what makes a good e-mail or password is user-service's to say. */
const credentials = z.strictObject({
  email: z.string().check(z.maxLength(1_000)),
  password: z.string().check(z.maxLength(1_000)),
});

export const userRoutes = (users: ReturnType<typeof openUserClient>): Route[] => [
  publicRoute(
    {
      method: 'POST',
      path: '/v1/users',
      summary: 'Sign up',
      details: 'E-mail addresses have up to 254 characters and one account each; passwords have 10 to 128 characters.',
      body: credentials,
      answers: { 201: user },
    },
    async ({ body, trace }) => ({
      status: 201,
      body: await users.createUser(body, trace),
      headers: { location: '/v1/users/me' },
    }),
  ),
  publicRoute(
    {
      method: 'POST',
      path: '/v1/sessions',
      summary: 'Sign in',
      details: 'The access token is good for `expiresInSeconds`.',
      body: credentials,
      answers: { 201: session },
    },
    async ({ body, trace }) => {
      const { accessToken, expiresInSeconds, user: account } = await users.authenticate(body, trace);
      return {
        status: 201,
        body: { accessToken, tokenType: 'Bearer', expiresInSeconds, user: account },
        headers: { 'cache-control': 'no-store' },
      };
    },
  ),
];
