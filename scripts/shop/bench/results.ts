/** What a run of the benchmark has come to: the result of each part, or why it has none, and how its ratios are judged. Pure. */
import type { Part, Result, Row } from './part.ts';

export type Outcome = Pick<Part, 'name' | 'about'> & {
  readonly seconds: number;
  readonly result: Result | { readonly failed: string };
};

export const hasFailed = ({ result }: Outcome): boolean => 'failed' in result;

export const ratioOf = ({ value, baseline }: Pick<Row, 'value' | 'baseline'>): number => value / baseline.value;

/** undefined when the ratio is told and not judged. */
export function isReached(row: Row): boolean | undefined {
  if (!row.reach) return undefined;
  const { is, ratio: wanted } = row.reach;
  const ratio = ratioOf(row);
  return Number.isFinite(ratio) && (is === 'at most' ? ratio <= wanted : ratio >= wanted);
}

/** As written to results.json: rows with their ratio, and whether that is what was to be reached. */
export const judged = ({ result, ...part }: Outcome): object =>
  'failed' in result
    ? { ...part, failed: result.failed }
    : {
        ...part,
        notes: result.notes ?? [],
        rows: result.rows.map((row) => ({ ...row, ratio: ratioOf(row), reached: isReached(row) ?? null })),
        plots: (result.plots ?? []).map(({ name }) => `${name}.svg`),
      };
