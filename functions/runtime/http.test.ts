import { expect, test } from 'vitest';
import { publicRoute, router } from './http/routes.ts';

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
