import { expect, test } from 'vitest';
import { difference } from './difference.ts';

const packed = { version: 2, grams: 250, parts: [{ name: 'lid', pieces: 1 }], stops: [] };
const sent = { version: 3, grams: 250, parts: [{ name: 'lid', pieces: 1 }], stops: [{ place: 'Utrecht' }] };

test('a field that is another, new or gone is shown with both values, one that stays is not a change', () => {
  const changed = difference(packed, sent).filter((row) => row.changed);
  expect(changed).toEqual([
    { field: 'version', before: '2', after: '3', changed: true },
    { field: 'stops[0].place', before: undefined, after: '"Utrecht"', changed: true },
    { field: 'stops', before: '[]', after: undefined, changed: true },
  ]);
});

test('the first state is all new', () => {
  const rows = difference(undefined, packed);
  expect(rows.map(({ field }) => field)).toEqual(['version', 'grams', 'parts[0].name', 'parts[0].pieces', 'stops']);
  expect(rows.every((row) => row.changed && row.before === undefined)).toBe(true);
});
