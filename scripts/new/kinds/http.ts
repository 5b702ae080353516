/** What is wanted → the sources of an HTTP function: no route. Pure. */

import type { Request } from '../request.ts';
import { pathTo, type Sources } from '../sources.ts';

export function httpSources({ context, name }: Request): Sources {
  const api = (file: string) => pathTo(context, 'api', file);
  const users = (file: string) => pathTo(context, 'users', file);
  return {
    'function.ts': `/** HTTP, without a route yet. */
import { http } from '../../runtime/http.ts';
import { openDatabase } from '../../runtime/postgres.ts';
import { openUserClient } from '${users('client.ts')}';
import { keptKeySet } from '${users('kept-keys.ts')}';
import { authenticateWith } from '${api('authenticate.ts')}';
import { openSigningKeys } from '${api('signing-keys.ts')}';
import { routes } from './routes.ts';

export default http({
  needs: ['DATABASE_URL', 'DATABASE_CONNECTIONS', 'USER_SERVICE_ADDRESS'],
  async open(shell) {
    const database = openDatabase(shell);
    const signingKeys = openSigningKeys(shell, openUserClient(shell), () => keptKeySet(database));
    return { database, authenticate: authenticateWith(signingKeys), notReady: () => undefined };
  },
  routes: ({ database }) => routes(database),
});
`,
    'routes.ts': `/** The routes of ${name}. */
import type { Route } from '../../runtime/routes.ts';
import type { Database } from '../../runtime/postgres.ts';

export const routes = (_database: Database): readonly Route[] => [];
`,
    'routes.test.ts': `import { expect, test } from 'vitest';
import definition from './function.ts';

test('${name} has a route', () => {
  const next =
    'write routes.ts: a publicRoute or callerRoute. Then send its path here in scripts/platform/gateway/gateway.ts, run ' +
    'npm run generate, and expect just these paths here';
  expect(definition.routes().map(({ path }) => path), next).not.toEqual([]);
});
`,
  };
}
