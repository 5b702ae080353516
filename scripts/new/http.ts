/** What is wanted → the sources of an HTTP function: no route. Pure. */
import type { NewFunction } from './request.ts';
import type { Sources } from './sources.ts';

export const httpSources = ({ name }: NewFunction): Sources => ({
  'function.ts': `/** HTTP, without a route yet. */
import { http } from '../../runtime/http.ts';
import { databaseSettings, openDatabase } from '../../runtime/postgres.ts';
import { routes } from './routes.ts';

export default http({
  settings: databaseSettings,
  open: async (shell) => ({ database: openDatabase(shell), notReady: () => undefined }),
  routes: ({ database }) => routes(database),
});
`,
  'routes.ts': `/** The routes of ${name}. One for signed-in callers needs \`authenticate\` in function.ts. */
import type { Route } from '../../runtime/http.ts';
import type { Database } from '../../runtime/postgres.ts';

export const routes = (_database: Database): readonly Route[] => [];
`,
  'routes.test.ts': `import { expect, test } from 'vitest';
import definition from './function.ts';

test('${name} has a route', () => {
  const next = 'write routes.ts: a publicRoute or callerRoute. Then run npm run generate, and expect just these paths here';
  expect(definition.routes().map(({ path }) => path), next).not.toEqual([]);
});
`,
});
