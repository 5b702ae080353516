/** POST /v1/users and below: sign up, one's own name, suspension and the confirmed e-mail address, by user-service. */
import * as z from 'zod/mini';
import { AppError, keyReused } from '../../runtime/errors.ts';
import { callerRoute, publicRoute, type Route } from '../../runtime/http.ts';
import { nameId, newId } from '../../runtime/ids.ts';
import type { UserClient } from '../../users/client.ts';
import { user } from '../answers.ts';
import { HEADERS, type Headers, optionalIdempotencyKey } from '../headers.ts';

/** Only shape and size are checked here; what makes a good e-mail or password is user-service's to say. */
const text = z.string().check(z.maxLength(1_000));

/** Every try of a request means the same user; without a key of the client's own at least the tries of this process do. */
function userIdOf(headers: Headers): string {
  const key = optionalIdempotencyKey(headers);
  return key === undefined ? newId() : nameId('user', key);
}

/** The user id is not the client's: when it is taken by another user, then because of the key that it was made from. */
const asKeyReused = (error: unknown): never => {
  if (error instanceof AppError && error.fields.some(({ field }) => field === 'user_id')) throw keyReused();
  throw error;
};

export const userRoutes = (users: UserClient): Route[] => [
  publicRoute(
    {
      method: 'POST',
      path: '/v1/users',
      summary: 'Sign up',
      details:
        'E-mail addresses have up to 254 characters and one account each; passwords have 10 to 128 characters and are ' +
        'not among the common ones. A link to confirm the address comes by e-mail.',
      headers: HEADERS.optionalIdempotencyKey,
      body: z.strictObject({ email: text, password: text, name: z.optional(text) }),
      answers: { 201: user },
    },
    async ({ body, headers, clientAddress, trace }) => {
      const request = { ...body, userId: userIdOf(headers), clientAddress };
      const created = await users.createUser(request, trace).catch(asKeyReused);
      return { status: 201, body: created, headers: { location: '/v1/users/me' } };
    },
  ),

  callerRoute(
    {
      method: 'PATCH',
      path: '/v1/users/me',
      summary: 'Change your name',
      details: 'It has up to 100 characters, or none.',
      body: z.strictObject({ name: text }),
      answers: { 200: user },
    },
    async ({ body, accessToken, trace }) => ({
      status: 200,
      body: await users.updateUser({ ...body, accessToken }, trace),
    }),
  ),

  callerRoute(
    {
      method: 'POST',
      path: '/v1/users/:userId/suspensions',
      summary: 'Suspend a user and end the sessions',
      details: 'Again it changes nothing. Access tokens that were given out stay good until they expire.',
      role: 'staff',
      params: z.strictObject({ userId: z.uuid() }),
      body: z.strictObject({ reason: text }),
      answers: { 200: user },
    },
    async ({ params, body, accessToken, trace }) => ({
      status: 200,
      body: await users.suspendUser({ ...params, ...body, accessToken }, trace),
    }),
  ),

  publicRoute(
    {
      method: 'POST',
      path: '/v1/email-verifications',
      summary: 'Confirm an e-mail address with the token of the welcome e-mail',
      details: 'The same token again is no error. A token that is too old, or was never given, is 409 `link-invalid`.',
      body: z.strictObject({ token: text }),
      answers: { 204: null },
    },
    async ({ body, trace }) => {
      await users.verifyEmail(body, trace);
      return { status: 204, headers: { 'cache-control': 'no-store' } };
    },
  ),
];
