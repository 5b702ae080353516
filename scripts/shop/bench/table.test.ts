import { expect, test } from 'vitest';
import type { Row } from './part.ts';
import { isReached } from './results.ts';
import { number, toTable } from './table.ts';

const row = (value: number, reach?: Row['reach']): Row => ({
  what: 'cold start',
  value,
  unit: 'ms',
  baseline: { what: 'node -e 0', value: 20 },
  ...(reach ? { reach } : {}),
});

test.each([
  ['a least that is met', 10, { is: 'at least', ratio: 0.5 }, true],
  ['a least that is missed', 9, { is: 'at least', ratio: 0.5 }, false],
  ['a most that is met', 60, { is: 'at most', ratio: 3 }, true],
  ['a most that is missed', 61, { is: 'at most', ratio: 3 }, false],
  ['nothing to reach', 61, undefined, undefined],
] as const)('%s is judged so', (_, value, reach, expected) => {
  expect(isReached(row(value, reach))).toBe(expected);
});

test('a measurement without a baseline value is not taken for reached', () => {
  const none = { ...row(1, { is: 'at least', ratio: 3 }), baseline: { what: 'nothing', value: 0 } };
  expect(isReached(none)).toBe(false);
});

test('the table is aligned, and shows what was to be reached and whether it was', () => {
  const outcome = {
    name: 'cold-start',
    about: '',
    seconds: 1,
    result: { rows: [row(50, { is: 'at most', ratio: 3.2, stretch: 2.7 })] },
  };
  expect(toTable([outcome])).toBe(
    [
      '| part       | what       | value   | baseline           | ratio  | reach   | stretch | reached |',
      '|------------|------------|---------|--------------------|--------|---------|---------|---------|',
      '| cold-start | cold start | 50.0 ms | 20.0 ms, node -e 0 | 2.50 × | ≤ 3.2 × | 2.7 ×   | yes     |',
    ].join('\n'),
  );
});

test('notes of a part, and why one has failed, stand below the table', () => {
  const table = toTable([
    { name: 'one', about: '', seconds: 1, result: { rows: [], notes: ['synced'] } },
    { name: 'two', about: '', seconds: 1, result: { failed: 'no disk' } },
  ]);
  expect(table).toContain('\n- one: synced\n- two failed: no disk');
});

test.each([
  [0, '0.00'],
  [0.012345, '0.012'],
  [1.2345, '1.23'],
  [99.96, '100'],
  [12345.6, '12346'],
  [Number.NaN, '-'],
])('%d is shown as %s', (value, shown) => {
  expect(number(value)).toBe(shown);
});
