import { expect, test } from 'vitest';
import { parametersOf } from './totals.ts';

type Sent = { readonly id: string; readonly type: 'parcel.sent'; readonly grams: number };
const sent = (id: string, grams: number): Sent => ({ id, type: 'parcel.sent', grams });
const weigh = ({ grams }: Sent) => ({ country: 'NL', parcels: 1, grams });

test('an event that comes twice in a batch adds once, and the ids are in order', () => {
  const [ids, added] = parametersOf([sent('b', 2), sent('a', 1), sent('b', 2)], weigh, ['parcels', 'grams']);
  expect(ids).toEqual(['a', 'b']);
  expect(added).toEqual([
    { id: 'b', row: { country: 'NL', parcels: 1, grams: 2 } },
    { id: 'a', row: { country: 'NL', parcels: 1, grams: 1 } },
  ]);
});

test('an event adds to several rows, or to none, and is taken note of all the same', () => {
  const both = ({ grams }: Sent) => (grams > 0 ? ['NL', 'BE'].map((country) => ({ country, grams })) : undefined);
  const [ids, added] = parametersOf([sent('a', 0), sent('b', 3)], both, ['grams']);
  expect(ids).toEqual(['a', 'b']);
  expect(added.map(({ id, row }) => [id, row.country])).toEqual([
    ['b', 'NL'],
    ['b', 'BE'],
  ]);
});

test.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
  '%d cannot be added: it would not be exact',
  (grams) => {
    expect(() => parametersOf([sent('a', grams)], weigh, ['parcels', 'grams'])).toThrow(
      expect.objectContaining({
        code: 'invalid',
        slug: 'not-an-amount',
        message: `parcel.sent adds ${grams} to grams: what is added must be an integer`,
      }),
    );
  },
);
