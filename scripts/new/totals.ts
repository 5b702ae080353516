/** What is wanted → the sources of a projector that adds up: nothing is added yet. Pure. */
import { tableOf } from './names.ts';
import type { NewFunction } from './request.ts';
import { type Sources, wordsOf } from './sources.ts';

export function totalsSources(request: NewFunction): Sources {
  const { name } = request;
  const { list, stream, schemas, module, data, accepts, example } = wordsOf(request);
  const table = tableOf(name);
  return {
    'function.ts': `/** ${list} → table ${table}: what they add up to. */
import { totals } from '../../runtime/totals.ts';
import { ${stream}, ${schemas} } from '${module}';
import { adds } from './adds.ts';

export default totals({
  stream: ${stream},
  accepts: ${accepts},
  table: '${table}',
  key: ['name'],
  amounts: ['total'],
  adds: ({ data }) => adds(data),
});
`,
    'adds.ts': `/** Pure: ${list} → what it adds to ${table}. */
import type * as z from 'zod/mini';
import type { ${schemas} } from '${module}';

type Data = ${data};
type Addition = { readonly name: string; readonly total: number };

export const adds = (_event: Data): readonly Addition[] => [];
`,
    'adds.test.ts': `import { expect, test } from 'vitest';
import { ${schemas} } from '${module}';
import { adds } from './adds.ts';

test('${name} adds something', () => {
  const added = adds(${example});
  const next = 'write adds.ts, and the same columns in the migration of ${table}. Then expect just these additions here';
  expect(added, next).not.toEqual([]);
});
`,
  };
}
