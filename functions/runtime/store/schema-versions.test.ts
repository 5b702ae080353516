import { expect, test } from 'vitest';
import type { Aggregate } from '../aggregate.ts';
import { AppError } from '../errors.ts';
import { publishedData, schemaVersionOf, upcast } from './schema-versions.ts';

type Renamed = { readonly type: 'thing.renamed'; readonly data: { readonly title: string; readonly by: string } };
type Removed = { readonly type: 'thing.removed'; readonly data: { readonly reason: string } };

const things: Aggregate<string, Renamed | Removed> = {
  name: 'thing',
  initial: '',
  schemaVersion: 1,
  snapshotEvery: 100,
  upcasters: {
    'thing.renamed': [
      ({ name }: { name: string }) => ({ title: name }),
      ({ title }: { title: string }) => ({ title, by: 'unknown' }),
    ],
    'thing.removed': [],
  },
  evolve: (_state, event) => (event.type === 'thing.renamed' ? event.data.title : ''),
  publish: (title, version) => ({ title, version }),
};

const stored = (schemaVersion: number, data: object, type = 'thing.renamed') => ({
  version: 4,
  type,
  schemaVersion,
  data,
});

test.each([
  [1, { name: 'Mug' }, { title: 'Mug', by: 'unknown' }],
  [2, { title: 'Mug' }, { title: 'Mug', by: 'unknown' }],
  [3, { title: 'Mug', by: 'Ann' }, { title: 'Mug', by: 'Ann' }],
])('an event stored in schema version %i is read in the newest', (schemaVersion, data, newest) => {
  expect(upcast(things, '7', stored(schemaVersion, data))).toEqual({ type: 'thing.renamed', data: newest });
});

test('events are stored in the newest schema version', () => {
  expect([schemaVersionOf(things, 'thing.renamed'), schemaVersionOf(things, 'thing.removed')]).toEqual([3, 1]);
});

test.each([
  [
    'a newer schema version',
    stored(4, {}),
    'Event 4 of thing 7 is stored as thing.renamed@4; this code knows thing.renamed up to @3',
  ],
  ['an unknown type', stored(1, {}, 'thing.painted'), 'stored as thing.painted@1; this code knows no such type'],
  ["a type that is a name of every object's", stored(1, {}, 'toString'), 'this code knows no such type'],
])('an event in %s waits for newer code, and is never read wrongly', (_what, event, says) => {
  let thrown: unknown;
  try {
    upcast(things, '7', event);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(AppError);
  expect(thrown).toMatchObject({ code: 'unavailable', slug: 'newer-event' });
  expect(String(thrown)).toContain(says);
  expect(String(thrown)).toContain('deploy the newer code');
});

test('an event is published with the public form of what it led to', () => {
  const event: Removed = { type: 'thing.removed', data: { reason: 'sold' } };
  expect(publishedData(things, event, '', 5)).toEqual({ reason: 'sold', thing: { title: '', version: 5 } });
});
