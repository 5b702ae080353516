/** What is wanted → the sources of a notifier: an empty e-mail. Pure. */

import { example, wordsOf } from '../events.ts';
import type { Request } from '../request.ts';
import { pathTo, type Sources } from '../sources.ts';

export function notifierSources(request: Request): Sources {
  const { context, name, events } = request;
  const { isOfUsers, list, stream, schemas, module, data, accepts } = wordsOf(request);
  const [emails, templates] = ['email.ts', 'template.ts'].map((file) => pathTo(context, 'notifications', file));
  return {
    'function.ts': `/** ${list} → an e-mail, once an event. */
import { emails } from '${emails}';
import { ${stream}, ${schemas} } from '${module}';
import { template } from './template.ts';

export default emails({
  stream: ${stream},
  events: ${accepts},
  templates: { ${events.map((event) => `'${event}': template`).join(', ')} },
  about: ${isOfUsers ? '({ userId: recipient }) => ({ recipient })' : '({ order: { customerId: recipient } }) => ({ recipient })'},
});
`,
    'template.ts': `/** Pure: ${list} → the e-mail. */
import type * as z from 'zod/mini';
import type { Template } from '${templates}';
import type { ${schemas} } from '${module}';

type Data = ${data};

export const template: Template<Data> = {
  name: '${name}',
  write: () => ({ subject: '', heading: '', blocks: [] }),
};
`,
    'template.test.ts': `import { expect, test } from 'vitest';
import { ${schemas} } from '${module}';
import { template } from './template.ts';

test('${name} says something', () => {
  const { subject } = template.write(${example(request)}, { locale: 'en', link: '' });
  const next = 'write template.ts: what the e-mail says, in each language. Then expect it here';
  expect(subject, next).not.toBe('');
});
`,
  };
}
