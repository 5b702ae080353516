/** What is wanted → the sources of a notifier: an empty e-mail. Pure. */

import { example, wordsOf } from '../events.ts';
import type { Request } from '../request.ts';
import { pathTo, type Sources } from '../sources.ts';

export function notifierSources(request: Request): Sources {
  const { context, name, events } = request;
  const { isOfUsers, list, stream, schemas, module, data } = wordsOf(request);
  const emails = pathTo(context, 'notifications', 'email.ts');
  return {
    'function.ts': `/** ${list} → an e-mail, once an event. */
import { emails } from '${emails}';
import { ${stream}, ${schemas} } from '${module}';
import { template } from './template.ts';

export default emails({
  stream: ${stream},
  events: ${schemas},
  templates: { ${events.map((event) => `'${event}': template`).join(', ')} },
});
`,
    'template.ts': `/** Pure: ${list} → the e-mail. */
import type * as z from 'zod/mini';
import type { Template } from '${emails}';
import type { ${schemas} } from '${module}';

type Data = ${data};

export const template: Template<Data> = {
  name: '${name}',
  userId: (${isOfUsers ? '{ userId }) => userId' : '{ order }) => order.customerId'},
  write: () => ({ subject: '', text: '' }),
};
`,
    'template.test.ts': `import { expect, test } from 'vitest';
import { ${schemas} } from '${module}';
import { template } from './template.ts';

test('${name} says something', () => {
  const { text } = template.write(${example(request)}, '');
  const next = 'write template.ts: the subject and the text of the e-mail. Then expect what it says here';
  expect(text, next).not.toBe('');
});
`,
  };
}
