import { expect, test } from 'vitest';
import type { StoredEvent } from '../../../functions/runtime/history.ts';
import { aggregateOf, type NamedAggregate, versionsOf } from './aggregates.ts';

type Event = { readonly type: 'parcel.packed' | 'parcel.sent'; readonly data: { readonly grams: number } };

const parcel = {
  name: 'parcel',
  initial: { grams: 0 },
  schemaVersion: 1,
  snapshotEvery: 100,
  upcasters: { 'parcel.packed': [], 'parcel.sent': [] },
  evolve: ({ grams }: Event['data'], { data }: Event) => ({ grams: grams + data.grams }),
  publish: ({ grams }: Event['data'], version: number) => ({ grams, version }),
} as const;

const stored = (version: number, type: Event['type'], grams: number): StoredEvent<Event> => ({
  ...{ version, event: { type, data: { grams } }, at: '2026-05-03T12:00:00.000Z', actor: 'ada' },
  ...{ commandId: 'c', command: null, correlationId: null, traceId: 't' },
});

test('each event comes with the public form of the state after it', () => {
  const versions = versionsOf(parcel, [stored(1, 'parcel.packed', 200), stored(2, 'parcel.sent', 50)]);
  expect(versions.map(({ type, data, state }) => [type, data, state])).toEqual([
    ['parcel.packed', { grams: 200 }, { grams: 200, version: 1 }],
    ['parcel.sent', { grams: 50 }, { grams: 250, version: 2 }],
  ]);
});

test('an aggregate is found by its name, and a name that none has is answered with those there are', () => {
  const aggregates = [{ name: 'parcel', aggregate: parcel as unknown as NamedAggregate['aggregate'] }];
  expect(aggregateOf(aggregates, 'parcel')).toBe(parcel);
  expect(() => aggregateOf(aggregates, 'widget')).toThrow("There is no aggregate 'widget'; there are parcel");
});
