import { expect, test } from 'vitest';
import { expectedVersion, showsNewest } from './read-models.ts';

test('a table shows the newest state of an aggregate when its id alone is the key', () => {
  expect(showsNewest({ key: ['parcel_id'] }, 'parcel')).toBe(true);
  expect(showsNewest({ key: ['parcel_id', 'version'] }, 'parcel')).toBe(false);
  expect(showsNewest({ key: ['widget_id'] }, 'parcel')).toBe(false);
});

test('a read model is expected at the newest event that it consumes, and at none without one', () => {
  const versions = ['parcel.packed', 'parcel.sent', 'parcel.lost'].map((type, index) => ({ type, version: index + 1 }));
  expect(expectedVersion({ consumes: ['parcel.packed', 'parcel.sent'] }, versions)).toBe(2);
  expect(expectedVersion({ consumes: ['widget.made'] }, versions)).toBe(0);
});
