/** What is wanted → the sources of a projector: rows with their key and version alone. Pure. */

import { example, wordsOf } from '../events.ts';
import { tableOf } from '../names.ts';
import type { Request } from '../request.ts';
import type { Sources } from '../sources.ts';

export function projectorSources(request: Request): Sources {
  const { name } = request;
  const { list, stream, schemas, module, data, accepts } = wordsOf(request);
  const table = tableOf(name);
  return {
    'function.ts': `/** ${list} → table ${table}: one row an order, as its newest event shows it. */
import { projector } from '../../runtime/projector.ts';
import { ${stream}, ${schemas} } from '${module}';
import { rowOf } from './row.ts';

export default projector({
  stream: ${stream},
  accepts: ${accepts},
  table: '${table}',
  key: ['order_id'],
  row: ({ data }) => rowOf(data),
});
`,
    'row.ts': `/** Pure: ${list} → the row of ${table}. */
import type * as z from 'zod/mini';
import type { ${schemas} } from '${module}';

type Data = ${data};

export const rowOf = ({ order }: Data) => ({ order_id: order.orderId, version: order.version });
`,
    'row.test.ts': `import { expect, test } from 'vitest';
import { ${schemas} } from '${module}';
import { rowOf } from './row.ts';

test('${name} has a row with what it is read for', () => {
  const row = rowOf(${example(request)});
  const next = 'write row.ts, and the same columns in the migration of ${table}. Then expect just this row here';
  expect(Object.keys(row), next).not.toEqual(['order_id', 'version']);
});
`,
  };
}
