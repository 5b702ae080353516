/** What is wanted → the sources of a projector: rows with their key and version alone. Pure. */
import * as z from 'zod/mini';
import { UsageError } from '../cli/cli.ts';
import { camel, snake, tableOf } from './names.ts';
import type { NewFunction } from './request.ts';
import { type Sources, wordsOf } from './sources.ts';

type Shape = { readonly properties?: Readonly<Record<string, Shape>> };

/** The aggregate that every one of the events carries as it stands after it. Throws UsageError when one does not. */
function carried({ events, publisher }: NewFunction): string {
  const aggregate = events[0]?.split('.')[0] ?? '';
  const without = events.find((event) => {
    const schema = publisher?.events?.[event] as z.ZodMiniType;
    const fields = (z.toJSONSchema(schema, { io: 'input' }) as Shape).properties?.[aggregate]?.properties ?? {};
    return !(`${camel(aggregate)}Id` in fields && 'version' in fields);
  });
  if (without === undefined) return aggregate;
  throw new UsageError(
    `${without} has no \`${aggregate}\` with an id and a version to order rows by: a projector takes events that have, and totals take any`,
  );
}

/** The columns of the key. */
export const keyOf = (request: NewFunction): string => `${snake(carried(request))}_id`;

export function projectorSources(request: NewFunction): Sources {
  const { name } = request;
  const { list, stream, schemas, module, data, accepts, example } = wordsOf(request);
  const table = tableOf(name);
  const aggregate = carried(request);
  const value = camel(aggregate);
  return {
    'function.ts': `/** ${list} → table ${table}: one row a ${aggregate}, as its newest event shows it. */
import { projector } from '../../runtime/projector.ts';
import { ${stream}, ${schemas} } from '${module}';
import { rowOf } from './row.ts';

export default projector({
  stream: ${stream},
  accepts: ${accepts},
  table: '${table}',
  key: ['${keyOf(request)}'],
  row: ({ data }) => rowOf(data),
});
`,
    'row.ts': `/** Pure: ${list} → the row of ${table}. */
import type * as z from 'zod/mini';
import type { ${schemas} } from '${module}';

type Data = ${data};

export const rowOf = ({ ${value} }: Data) => ({ ${keyOf(request)}: ${value}.${value}Id, version: ${value}.version });
`,
    'row.test.ts': `import { expect, test } from 'vitest';
import { ${schemas} } from '${module}';
import { rowOf } from './row.ts';

test('${name} has a row with what it is read for', () => {
  const row = rowOf(${example});
  const next = 'write row.ts, and the same columns in the migration of ${table}. Then expect just this row here';
  expect(Object.keys(row), next).not.toEqual(['${keyOf(request)}', 'version']);
});
`,
  };
}
