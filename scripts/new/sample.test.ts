import { expect, test } from 'vitest';
import { eventsOf, readContexts } from '../registry/contexts.ts';
import { sample } from './sample.ts';

const events = Object.entries(eventsOf(await readContexts()));

test.each(events)('the example of %s is one that its schema takes', (_type, { schema }) => {
  expect(schema.safeParse(sample(schema))).toMatchObject({ success: true });
});
