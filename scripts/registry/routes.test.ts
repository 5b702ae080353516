import { expect, test } from 'vitest';
import { AppError } from '../../functions/runtime/errors.ts';
import { publicRoute } from '../../functions/runtime/http.ts';
import { functionRouter } from './routes.ts';

const routes = (...claims: string[]) =>
  claims.map((claim) => {
    const [method, path = ''] = claim.split(' ');
    const shape = { method: method as 'GET', path, summary: claim, answers: { 200: null } };
    return publicRoute(shape, async () => ({ status: 200 }));
  });
const one = (name: string, ...claims: string[]) => ({ name, routes: () => routes(...claims) });

const find = functionRouter([
  one('reader', 'GET /v1/boxes', 'GET /v1/boxes/newest', 'GET /v1/boxes/:boxId'),
  one('writer', 'POST /v1/boxes', 'PUT /v1/boxes/:boxId'),
]);

function refusal(method: string, path: string): AppError {
  try {
    find(method, path);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error(`${method} ${path} was answered`);
}

test('a request is for the function that declares a route of its path and method', () => {
  expect(find('GET', '/v1/boxes')).toBe('reader');
  expect(find('POST', '/v1/boxes')).toBe('writer');
  expect(find('GET', '/v1/boxes/7')).toBe('reader');
  expect(find('PUT', '/v1/boxes/7')).toBe('writer');
});

test('HEAD is for the function that answers GET', () => {
  expect(find('HEAD', '/v1/boxes/7')).toBe('reader');
});

test('a method that no function takes there is answered with those of all functions', () => {
  const error = refusal('DELETE', '/v1/boxes');
  expect(error.slug).toBe('method-not-allowed');
  expect(error.message).toBe('/v1/boxes takes GET, HEAD, POST, not DELETE');
});

test('a path that no function declares is not found', () => {
  expect(refusal('GET', '/v1/boxes/7/lid')).toMatchObject({ code: 'not-found', slug: 'no-such-path' });
});

test('two functions that claim one request are both named', () => {
  const clash = (...claims: [string, string]) => functionRouter(claims.map((claim, at) => one(`fn-${at}`, claim)));
  const both = /fn-0 and fn-1 both answer GET/;
  expect(() => clash('GET /v1/boxes', 'GET /v1/boxes')).toThrow(both);
  expect(() => clash('GET /v1/boxes/:boxId', 'GET /v1/boxes/:id')).toThrow(both);
  expect(() => clash('GET /v1/boxes/:boxId', 'GET /v1/boxes/newest')).toThrow(both);
  expect(() => clash('GET /v1/boxes/:boxId', 'PUT /v1/boxes/:boxId')).not.toThrow();
  expect(() => clash('GET /v1/boxes', 'GET /v1/boxes/:boxId')).not.toThrow();
});
