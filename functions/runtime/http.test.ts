import { expect, test } from 'vitest';
import type { Shell } from './function.ts';
import { callerRoute, publicRoute, router } from './http/routes.ts';
import { http } from './http.ts';

const route = (method: 'GET' | 'PUT', path: string) =>
  publicRoute({ method, path, summary: 'a route', answers: { 200: null } }, async () => ({ status: 200 }));
const find = router([
  route('GET', '/v1/things'),
  route('GET', '/v1/things/:thingId'),
  route('PUT', '/v1/things/:thingId'),
]);

test('a path is matched whole, with its parameters', () => {
  expect(find('PUT', '/v1/things/a%20b')).toMatchObject({ route: { method: 'PUT' }, params: { thingId: 'a b' } });
  expect(() => find('GET', '/v1/things/1/2')).toThrow('nothing at');
});

test('HEAD finds the route of GET', () => {
  expect(find('HEAD', '/v1/things').route.method).toBe('GET');
});

test('a known path with another method says which methods it takes', () => {
  expect(() => find('DELETE', '/v1/things/1')).toThrow('takes GET, HEAD, PUT, not DELETE');
});

test('a route for callers without a way to know them is refused at the start, and is named', async () => {
  const definition = http({
    settings: {},
    open: async () => ({ notReady: () => undefined }),
    routes: () => [
      callerRoute({ method: 'GET', path: '/v1/secrets', summary: 'a route', answers: { 200: null } }, async () => ({
        status: 200,
      })),
    ],
  });
  await expect(definition.start({ name: 'vault' } as Shell<never>)).rejects.toThrow(
    'vault: GET /v1/secrets is for callers, but open() gives no `authenticate`',
  );
});
