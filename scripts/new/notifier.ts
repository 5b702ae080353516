/** What is wanted → the sources of a notifier: nobody is notified yet. Pure. */
import type { NewFunction } from './request.ts';
import { type Sources, wordsOf } from './sources.ts';

export function notifierSources(request: NewFunction): Sources {
  const { name } = request;
  const { list, stream, schemas, module, data, accepts, example } = wordsOf(request);
  return {
    'function.ts': `/** ${list} → nobody is notified yet; each is once an event. */
import { invalid } from '../../runtime/errors.ts';
import { notifier } from '../../runtime/notifier.ts';
import { ${stream}, ${schemas} } from '${module}';
import { notifications } from './message.ts';

export default notifier({
  stream: ${stream},
  accepts: ${accepts},
  channel: '${name}',
  notifications: ({ data }) => notifications(data),
  open: () => ({
    async deliver() {
      throw invalid('not-written', 'Write deliver in function.ts of ${name}, such as a call by outbound()');
    },
  }),
});
`,
    'message.ts': `/** Pure: ${list} → who is notified, and of what. */
import type * as z from 'zod/mini';
import type { Notification } from '../../runtime/notifier.ts';
import type { ${schemas} } from '${module}';

type Data = ${data};

export const notifications = (_event: Data): readonly Notification[] => [];
`,
    'message.test.ts': `import { expect, test } from 'vitest';
import { ${schemas} } from '${module}';
import { notifications } from './message.ts';

test('${name} notifies somebody', () => {
  const found = notifications(${example});
  const next = 'write message.ts: who is notified, and deliver in function.ts. Then expect just these notifications here';
  expect(found, next).not.toEqual([]);
});
`,
  };
}
