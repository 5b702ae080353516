import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { eventsOf, readContexts } from '../registry/contexts.ts';
import { EVENTS, sampleOf } from './events.ts';

const published = eventsOf(await readContexts());

test.each(EVENTS)('the example of %s is as its schema says', (event) => {
  const schema = published[event]?.schema;
  if (!schema) throw new Error(`nobody publishes ${event}`);
  const sample = sampleOf(z.toJSONSchema(schema, { io: 'input' }), event);
  expect(schema.safeParse(sample)).toMatchObject({ success: true });
});

test('a pattern that no example can be made of is an error that says where to mend it', () => {
  expect(() => sampleOf({ type: 'string', pattern: '^(a|b)$' }, 'side')).toThrow(
    'no example of side fits ^(a|b)$: teach textLike in scripts/new/events.ts',
  );
});
