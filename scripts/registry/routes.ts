/** HTTP functions → which of them answers a request, by the routes that they declare. Pure. */

import { type Route, router } from '../../functions/runtime/http/routes.ts';
import type { HttpDefinition } from '../../functions/runtime/http.ts';

type HttpFunction = Pick<HttpDefinition, 'routes'> & { readonly name: string };

export const isHttp = <Some extends object>(definition: Some): definition is Some & Pick<HttpDefinition, 'routes'> =>
  'routes' in definition;

const isParameter = (segment: string): boolean => /^[:*]/.test(segment);

/** Whether one request can be meant for both. */
function overlap(a: Route, b: Route): boolean {
  const [left, right] = [a.path.split('/'), b.path.split('/')];
  if (a.method !== b.method || left.length !== right.length) return false;
  return left.every((segment, at) => {
    const other = right[at] ?? '';
    return segment === other || isParameter(segment) || isParameter(other);
  });
}

/**
 * Method and path → the name of the function that answers. That finder throws `not-found`, or `method-not-allowed` with the
 * methods of all functions. Two functions may not claim one request: neither order nor chance decides between them.
 */
export function functionRouter(functions: readonly HttpFunction[]): (method: string, path: string) => string {
  const owners = new Map<Route, string>();
  for (const { name, routes } of functions)
    for (const route of routes()) {
      const [taken, owner] = [...owners].find(([other, by]) => by !== name && overlap(route, other)) ?? [];
      if (taken)
        throw new Error(
          `${owner} and ${name} both answer ${route.method} ${route.path} (${owner} as ${taken.path}); take the route out of one of them`,
        );
      owners.set(route, name);
    }
  const find = router([...owners.keys()]);
  return (method, path) => owners.get(find(method, path).route) ?? '';
}
