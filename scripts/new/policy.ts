/** What is wanted → the sources of a policy: no reaction. Pure. */
import type { NewFunction } from './request.ts';
import { type Sources, wordsOf } from './sources.ts';

export function policySources(request: NewFunction): Sources {
  const { name, events } = request;
  const { list, stream, schemas, module, data, accepts, example } = wordsOf(request);
  return {
    'function.ts': `/** ${list} → no commands yet. */
import { policy } from '../../runtime/policy.ts';
import { ${stream}, ${schemas} } from '${module}';
import { react } from './react.ts';

export default policy({
  stream: ${stream},
  publishes: [],
  accepts: ${accepts},
  react: (_type, data) => react(data),
});
`,
    'react.ts': `/** Pure: ${list} → commands to send, now or later. */
import type * as z from 'zod/mini';
import type { Reaction } from '../../runtime/policy.ts';
import type { ${schemas} } from '${module}';

type Data = ${data};

export const react = (_event: Data): readonly Reaction<never>[] => [];
`,
    'react.test.ts': `import { expect, test } from 'vitest';
import { ${schemas} } from '${module}';
import { react } from './react.ts';

test('${name} reacts to ${events[0]}', () => {
  const reactions = react(${example});
  const next = 'write react.ts: return the commands that function.ts publishes. Then expect just these reactions here';
  expect(reactions, next).not.toEqual([]);
});
`,
  };
}
