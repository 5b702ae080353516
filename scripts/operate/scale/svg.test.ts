import { expect, test } from 'vitest';

import { type Plot, toSvg } from './svg.ts';

const plot: Plot = {
  name: 'growth',
  title: 'Reads < writes & more',
  x: { label: 'parcels', logarithmic: true },
  y: { label: 'ms' },
  series: [
    {
      name: 'p50',
      points: [
        [10_000, 1],
        [100_000, 1.5],
        [1_000_000, 4],
      ],
    },
    {
      name: 'p99',
      points: [
        [10_000, 2],
        [1_000_000, 8],
      ],
    },
  ],
};
const pointsOf = (svg: string): number[][][] =>
  [...svg.matchAll(/points="([^"]*)"/g)].map(([, points = '']) =>
    points
      .split(' ')
      .filter(Boolean)
      .map((pair) => pair.split(',').map(Number)),
  );

test('each series is a line, and each has its name in the legend', () => {
  const svg = toSvg(plot);
  expect(pointsOf(svg).map((points) => points.length)).toEqual([3, 2]);
  expect(svg).toContain('>p50<');
  expect(svg).toContain('>p99<');
});

test('more is further to the right and further up', () => {
  const [[low, middle, high] = []] = pointsOf(toSvg(plot));
  expect(low?.[0]).toBeLessThan(middle?.[0] ?? 0);
  expect(middle?.[0]).toBeLessThan(high?.[0] ?? 0);
  expect(low?.[1]).toBeGreaterThan(high?.[1] ?? 0);
});

test('a logarithmic axis has a tick a power of ten, equally far apart', () => {
  const [[low, middle, high] = []] = pointsOf(toSvg(plot));
  expect((middle?.[0] ?? 0) - (low?.[0] ?? 0)).toBeCloseTo((high?.[0] ?? 0) - (middle?.[0] ?? 0), 0);
  for (const tick of ['10,000', '100,000', '1,000,000']) expect(toSvg(plot)).toContain(`>${tick}<`);
});

test('an axis that counts begins at zero, and its ticks are round', () => {
  for (const tick of ['0', '2', '4', '6', '8']) expect(toSvg(plot)).toContain(`>${tick}</text>`);
});

test('words cannot break the file', () => {
  expect(toSvg(plot)).toContain('Reads &lt; writes &amp; more');
});

test('light or dark is up to the reader', () => {
  expect(toSvg(plot)).toContain('prefers-color-scheme: dark');
});

test.each([
  ['no series', []],
  ['no points', [{ name: 'a', points: [] }]],
  ['one point', [{ name: 'a', points: [[0, 0]] as const }]],
  [
    'what is no number',
    [
      {
        name: 'a',
        points: [
          [1, Number.NaN],
          [2, Number.POSITIVE_INFINITY],
        ] as const,
      },
    ],
  ],
])('%s makes a plot without NaN', (_, series) => {
  const svg = toSvg({ ...plot, series });
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});
