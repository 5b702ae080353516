/** GET /.well-known/jwks.json: the public keys of access tokens, for whoever wants to verify them too. */
import { publicRoute, type Route } from '../../runtime/http.ts';
import { keySet } from '../answers.ts';
import type { SigningKeys } from '../signing-keys.ts';

export const keyRoutes = (signingKeys: SigningKeys): Route[] => [
  publicRoute(
    {
      method: 'GET',
      path: '/.well-known/jwks.json',
      summary: 'The public keys that verify access tokens',
      details:
        'A token is a JWT (RFC 9068): `alg` EdDSA, `typ` at+jwt, `iss` and `aud` millrace, `sub` the user, `role`, `sid` ' +
        'the session, `scope` (optional) what else it may be used for. A new key is here 15 minutes before the first token that it signs; ask again every minute.',
      answers: { 200: keySet },
    },
    async ({ trace }) => {
      const keys = (await signingKeys.all(trace)).map(({ published }) => published);
      return { status: 200, body: { keys }, headers: { 'cache-control': 'public, max-age=60' } };
    },
  ),
];
